"""The arguments of a question: patterns of runs, options with their ranges, and overrides of the clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from network_models import rate_bps
from network_models import seconds as duration
from simulator.answers.groups import CLOCK, Group, grouped, one_clock
from simulator.answers.runs import Finished
from simulator.answers.target import Target

PATTERNS = ("runs", "a", "b")
T = TypeVar("T")


@dataclass
class Given:
    """What was said after the name of a question.

    Parameters
    ----------
    patterns : dict of str to list of str
        Of run folders: ``runs=``, ``a=``, ``b=``, each perhaps several times.
    options : dict of str to str
    overrides : list of str
        Settings of the network, the compute model and the stragglers on which runs are played.
    """

    patterns: dict[str, list[str]] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    overrides: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, arguments: Sequence[str], known: Mapping[str, str]) -> Given:
        """Sort ``key=value`` arguments.

        Raises
        ------
        ValueError
            For an argument without a value, a key that this question does not know, or one that is given twice.
        """
        given = cls()
        for argument in arguments:
            key, equals, value = argument.partition("=")
            if not equals or not value:
                raise ValueError(f"arguments: expected key=value, got {argument!r}")
            if key in PATTERNS and key in known:
                given.patterns.setdefault(key, []).append(value)
            elif key.lstrip("+").split(".")[0] in CLOCK and key != "network":
                given.overrides.append(argument)
            elif key not in known:
                raise ValueError(f"{key}: expected one of {', '.join(known)}, network.*, compute.*, got {argument}")
            elif key in given.options:
                raise ValueError(f"{key}: expected once, got {given.options[key]} and {value}")
            else:
                given.options[key] = value
        for key in PATTERNS:
            if key in known and key not in given.patterns:
                raise ValueError(f"{key}: expected a pattern of run folders, such as {key}='outputs/*', got none")
        return given

    def number(self, key: str, default: float = math.nan) -> float:
        """Read a number; NaN where there is neither it nor a default."""
        return self._read(key, float, "a number") if key in self.options else default

    def whole(self, key: str, default: int) -> int:
        """Read a whole number."""
        return self._read(key, int, "a whole number") if key in self.options else default

    def _read(self, key: str, read: Callable[[str], T], what: str) -> T:
        try:
            return read(self.options[key])
        except ValueError:
            raise ValueError(f"{key}: expected {what}, got {self.options[key]!r}") from None

    def flag(self, key: str) -> bool:
        """Read true or false, which is the default."""
        value = self.options.get(key, "false")
        if value not in ("true", "false"):
            raise ValueError(f"{key}: expected true or false, got {value!r}")
        return value == "true"

    def target(self) -> Target:
        """Read the target, which must be there."""
        if "target" not in self.options:
            raise ValueError("target: expected a value to reach, such as target=0.8, got none")
        return Target(self.options.get("metric", "accuracy"), self.number("target"), self.flag("interpolate"))

    def confidence(self) -> float:
        """Read the confidence of intervals, by default 0.95."""
        confidence = self.number("confidence", 0.95)
        if not 0 < confidence < 1:
            raise ValueError(f"confidence: expected a probability in (0, 1), got {confidence:g}")
        return confidence

    def networks(self) -> list[str | None]:
        """Read the names of the networks to play on; None is each run's own, with the overrides."""
        return [*self.options["network"].split(",")] if "network" in self.options else [None]

    @property
    def retimes(self) -> bool:
        """Whether another network or compute model than the recorded one is asked for."""
        return "network" in self.options or bool(self.overrides)

    def groups(self, runs: Sequence[Finished]) -> list[Group]:
        """Put runs together that differ by their seed: as recorded, or by trajectory where they are played elsewhere.

        Raises
        ------
        ValueError
            If they are to be played with compute models, or on networks, that differ from run to run.
        """
        if not self.retimes:
            return grouped(runs)
        one_clock(runs, self.overrides, "network" in self.options)
        return grouped(runs, CLOCK)

    def figure(self, key: str, unit: str, default: float) -> float:
        """Read a figure in a knob's unit."""
        return read_figure(key, self.options[key], unit) if key in self.options else default

    def figures(self, key: str, unit: str) -> list[float] | None:
        """Read figures: ``1,2,5``, or ``low:high:count``, evenly spaced in the logarithm; None where not given."""
        if key not in self.options:
            return None
        text = self.options[key]
        if ":" not in text:
            return [read_figure(key, one, unit) for one in text.split(",")]
        low, *rest = text.split(":")
        if len(rest) != 2 or not rest[1].isdigit() or int(rest[1]) < 2:
            raise ValueError(f"{key}: expected figures as 1,2,5 or low:high:count, got {text!r}")
        first, last = (read_figure(key, one, unit) for one in (low, rest[0]))
        if not 0 < first < last:
            raise ValueError(f"{key}: expected low:high:count with 0 < low < high, got {text!r}")
        return [float(one) for one in np.geomspace(first, last, int(rest[1]))]


def read_figure(key: str, text: str, unit: str) -> float:
    """Read a rate, a duration or a plain number."""
    try:
        number: float | None = float(text)
    except ValueError:
        number = None
    if unit == "bit/s":
        return rate_bps(text if number is None else number, key)
    if unit == "s":
        return duration(text if number is None else number, key)
    if number is None:
        raise ValueError(f"{key}: expected a number, got {text!r}")
    return number
