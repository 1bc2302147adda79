"""What a benchmark found: ratios with their yardsticks and goals, on which machine, by which command."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from benchmarks.machine import facts
from simulator.manifest import commit

LESS, MORE = "less", "more"


@dataclass(frozen=True)
class Ratio:
    """One measured ratio.

    Parameters
    ----------
    what : str
        What was measured; unlike any other of its part, since runs are compared by it.
    value : float
        Measured time (or memory) over that of the yardstick, or the other way round.
    yardstick : str
        What 1 stands for, such as ``one copy``.
    goal : float, optional
        What shall be reached.
    better : {"less", "more"}
        Which way is better.
    """

    what: str
    value: float
    yardstick: str
    goal: float | None = None
    better: str = LESS

    def __post_init__(self) -> None:
        if self.better not in (LESS, MORE):
            raise ValueError(f"{self.what}: expected better={LESS} or {MORE}, got {self.better!r}")
        if (
            isinstance(self.value, bool)
            or not isinstance(self.value, (int, float))
            or not 0 < self.value < float("inf")
        ):
            raise ValueError(f"{self.what}: expected a positive ratio, got {self.value!r}")

    @property
    def met(self) -> bool:
        """Whether the goal is reached; True where there is none."""
        if self.goal is None:
            return True
        return self.value <= self.goal if self.better == LESS else self.value >= self.goal

    def loss(self, before: Ratio) -> float:
        """Tell how much worse this is than `before`: 0.25 is a quarter more of what should be less, negative a gain."""
        factor = self.value / before.value if self.better == LESS else before.value / self.value
        return factor - 1.0


@dataclass
class Part:
    """All that one command measured.

    Parameters
    ----------
    name : str
        Names the file, ``docs/benchmarks/NAME.json``.
    command : str
        What a reader types to measure it again.
    ratios : list of Ratio
    seconds : float
        Wall clock of the whole command.
    details : dict
        Anything else worth keeping, as JSON.
    commit, machine
        Of the code, and what it ran on.
    """

    name: str
    command: str
    ratios: list[Ratio]
    seconds: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)
    commit: str | None = field(default_factory=commit)
    machine: Mapping[str, Any] = field(default_factory=facts)

    def __post_init__(self) -> None:
        names = [ratio.what for ratio in self.ratios]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{self.name}: expected each ratio once, got several of {twice[0]!r}")

    def by_name(self) -> dict[str, Ratio]:
        """Give the ratios by what they are of."""
        return {ratio.what: ratio for ratio in self.ratios}


def write(parts: Part | Sequence[Part], path: Path) -> None:
    """Write one part, or several into one file."""
    value = asdict(parts) if isinstance(parts, Part) else {"parts": [asdict(part) for part in parts]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def give(value: Mapping[str, Any], where: str) -> None:
    """Print what an older benchmark found as one line of JSON (`where` is ``-``), or write it to a file."""
    if where == "-":
        print(json.dumps(value))
    else:
        Path(where).write_text(json.dumps(value) + "\n", encoding="utf-8")


def read(path: Path) -> list[Part]:
    """Read what `write` wrote.

    Raises
    ------
    ValueError
        In one line, if the file is missing or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: expected a file of ratios, got none ({error.strerror})") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: expected JSON, got {error.msg} in line {error.lineno}") from None
    found = value.get("parts", [value]) if isinstance(value, dict) else value
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"{path}: expected a part or a table with the key 'parts', got {type(value).__name__}")
    return [_part(one, path) for one in found]


def _part(value: dict[str, Any], path: Path) -> Part:
    try:
        return Part(**(value | {"ratios": [Ratio(**one) for one in value["ratios"]]}))
    except (KeyError, TypeError, ValueError) as error:
        wanted = ", ".join(one.name for one in fields(Part))
        told = f"no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path}: expected a part with {wanted}, got {told}") from None


def told(parts: Sequence[Ratio]) -> str:
    """Lay ratios out as a table for a terminal."""
    width = max((len(ratio.what) for ratio in parts), default=0) + 2
    lines = []
    for ratio in parts:
        goal = "" if ratio.goal is None else f"   goal {ratio.goal:g}: {'met' if ratio.met else 'missed'}"
        lines.append(f"{ratio.what:{width}}{ratio.value:9.2f} x {ratio.yardstick}{goal}")
    return "\n".join(lines)
