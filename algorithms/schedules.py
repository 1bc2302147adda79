"""Learning-rate schedules: the factor on the base rate in round t of T."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol


class Schedule(Protocol):
    """A map from progress to a factor."""

    def __call__(self, t: int, rounds: int) -> float:
        """Give the factor in round `t`, counted from 0, of `rounds`."""
        ...


def _warm(t: int, rounds: int, warmup: float) -> float:
    """Rise linearly over the first `warmup` share of the rounds."""
    length = warmup * rounds
    return min(1.0, (t + 1) / length) if length > 0 else 1.0


def _check_fraction(key: str, value: float) -> None:
    if not (isinstance(value, (int, float)) and 0 <= value <= 1):
        raise ValueError(f"schedule.{key}: expected a fraction in [0, 1], got {value!r}")


class Constant:
    """Keep the rate, after a linear warm-up over the first `warmup` share of the rounds."""

    def __init__(self, name: str = "constant", warmup: float = 0.0) -> None:
        _check_fraction("warmup", warmup)
        self.name, self.warmup = name, warmup

    def __call__(self, t: int, rounds: int) -> float:
        return _warm(t, rounds, self.warmup)


class Step:
    """Multiply by `gamma` at each of the `milestones`, given as shares of the rounds.

    Examples
    --------
    >>> [round(Step(milestones=[0.5, 0.75], gamma=0.1)(t, 4), 3) for t in range(4)]
    [1.0, 1.0, 0.1, 0.01]
    """

    def __init__(
        self, name: str = "step", milestones: Sequence[float] = (0.5, 0.75), gamma: float = 0.1, warmup: float = 0.0
    ) -> None:
        if isinstance(milestones, str) or not isinstance(milestones, Sequence):
            raise ValueError(f"schedule.milestones: expected a list of fractions, got {milestones!r}")
        for milestone in milestones:
            _check_fraction("milestones", milestone)
        if isinstance(gamma, bool) or not isinstance(gamma, (int, float)) or not gamma >= 0:
            raise ValueError(f"schedule.gamma: expected a factor, at least 0, got {gamma!r}")
        _check_fraction("warmup", warmup)
        self.name, self.milestones, self.gamma, self.warmup = name, tuple(milestones), gamma, warmup

    def __call__(self, t: int, rounds: int) -> float:
        passed = sum(t >= milestone * rounds for milestone in self.milestones)
        return float(_warm(t, rounds, self.warmup) * self.gamma**passed)


class Cosine:
    """Fall along half a cosine from 1 to `floor` (Loshchilov & Hutter, "SGDR", ICLR 2017, equation 5)."""

    def __init__(self, name: str = "cosine", floor: float = 0.0, warmup: float = 0.0) -> None:
        _check_fraction("floor", floor)
        _check_fraction("warmup", warmup)
        self.name, self.floor, self.warmup = name, floor, warmup

    def __call__(self, t: int, rounds: int) -> float:
        fall = 0.5 * (1 + math.cos(math.pi * t / rounds))
        return _warm(t, rounds, self.warmup) * (self.floor + (1 - self.floor) * fall)


class Inverse:
    """Fall as a / (a + t), with a given as a share of the rounds: the rates c / (lambda (a + t)) of convex theory.

    Parameters
    ----------
    shift : float
        a / rounds, above 0; the base rate is then c / (lambda a).

    Examples
    --------
    >>> [round(Inverse(shift=0.5)(t, 4), 3) for t in range(4)]
    [1.0, 0.667, 0.5, 0.4]
    """

    def __init__(self, name: str = "inverse", shift: float = 0.1, warmup: float = 0.0) -> None:
        if isinstance(shift, bool) or not isinstance(shift, (int, float)) or not 0 < shift < math.inf:
            raise ValueError(f"schedule.shift: expected a finite share above 0, got {shift!r}")
        _check_fraction("warmup", warmup)
        self.name, self.shift, self.warmup = name, float(shift), warmup

    def __call__(self, t: int, rounds: int) -> float:
        a = self.shift * rounds
        return _warm(t, rounds, self.warmup) * a / (a + t)


class Linear:
    """Fall linearly to 0 at the end, after a linear rise over the first `warmup` share of the rounds.

    Examples
    --------
    >>> [round(Linear(warmup=0.4)(t, 5), 3) for t in range(5)]
    [0.5, 1.0, 1.0, 0.667, 0.333]
    """

    def __init__(self, name: str = "linear", warmup: float = 0.0) -> None:
        _check_fraction("warmup", warmup)
        self.name, self.warmup = name, warmup

    def __call__(self, t: int, rounds: int) -> float:
        left = rounds * (1 - self.warmup)
        return min(_warm(t, rounds, self.warmup), (rounds - t) / left if left > 0 else 1.0)
