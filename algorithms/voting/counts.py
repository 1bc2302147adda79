"""How many coordinates a density stands for, refused where it is less than one."""

from __future__ import annotations

import math
from dataclasses import dataclass


def seats(key: str, density: float, d: int) -> int:
    """Give ceil(phi d), or raise ValueError where phi d < 1.

    Examples
    --------
    >>> seats("density", 0.01, 11_173_962), seats("density", 0.001, 11_173_962)
    (111740, 11174)
    """
    if isinstance(density, bool) or not isinstance(density, (int, float)) or not 0 < density <= 1:
        raise ValueError(f"algorithm.{key}: expected a fraction in (0, 1], got {density!r}")
    share = density * d
    if share < 1 - 1e-9:
        raise ValueError(
            f"algorithm.{key}: expected {key} * d >= 1, at least one of the model's d = {d} coordinates (the papers "
            f"keep ceil(phi d) of millions), got {density} * {d} = {share:.3g}"
        )
    return min(d, math.ceil(share * (1 - 1e-12)))  # 0.07 * 100 is 7.000000000000001


@dataclass(frozen=True)
class Seats:
    """The densities of a method whose model is not known yet.

    Parameters
    ----------
    density : float or None
        phi, the share of coordinates in the mask.
    k : int or None
        Or how many.
    part : float or None
        A smaller share: what a vote may change, or what a worker sends outside the mask.
    part_key : str
        What the configuration calls it.
    disjoint : bool
        Whether the part lies outside the mask.
    """

    density: float | None
    k: int | None = None
    part: float | None = None
    part_key: str = "change_density"
    disjoint: bool = False

    def of(self, d: int) -> tuple[int, int]:
        """Give the coordinates of the mask and of the part (0 without one), or raise ValueError."""
        keep = self.k if self.k is not None else seats("density", self.density or 0.0, d)
        if not 1 <= keep <= d:
            raise ValueError(f"algorithm.k: expected 1 <= k <= d = {d} coordinates, got {keep}")
        part = 0 if self.part is None else seats(self.part_key, self.part, d)
        if self.disjoint and keep + part > d:
            raise ValueError(
                f"algorithm.{self.part_key}: expected mask and own coordinates within d = {d}, got {keep} + {part}"
            )
        return keep, part
