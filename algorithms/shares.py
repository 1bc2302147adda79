"""Methods that send a share p of the coordinates, of which there must be enough for one."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from algorithms.synchronous import Synchronous


class Shares(Synchronous):
    """A synchronous method that refuses a share of less than one coordinate, p d < 1.

    Selection tensor by tensor rounds up, so that small tensors send one entry each; below one coordinate of the whole
    model a payload would hold nothing but this rounding.

    Parameters
    ----------
    shares : dict of str to float
        What the configuration calls each share, and its value.
    **slots
        As for `Synchronous`.
    """

    def __init__(self, shares: dict[str, float], **slots: Any) -> None:
        super().__init__(**slots)
        self.shares = shares

    def begin(self, model: Tensor) -> None:
        """Start from `model`, shape (d,), which is copied; raises ValueError if p d < 1."""
        d = model.numel()
        for key, share in self.shares.items():
            if share * d < 1:
                raise ValueError(f"algorithm.{key}: expected p d >= 1, with d = {d}, got p = {share}")
        super().begin(model)
