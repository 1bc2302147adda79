"""The kinds of trouble that conf/faults/ names. All can lose messages besides."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from network_models import seconds
from simulator.faults.absences import Absence, Absences, Crashes, Listed
from simulator.faults.loss import MessageLoss


@dataclass(frozen=True)
class Faults:
    """What a run must put up with.

    Parameters
    ----------
    absences : Absences or None
        When workers are away; None: never.
    loss : MessageLoss or None
        Which messages are lost; None: none.
    """

    name: str = "none"
    absences: Absences | None = None
    loss: MessageLoss | None = None

    def __bool__(self) -> bool:
        return self.absences is not None or self.loss is not None


def none(*, name: str = "none") -> Faults:
    """Let nothing go wrong."""
    return Faults(name)


def lossy(*, workers: int, seed: int, name: str = "lossy", loss: float = 0.01, **retry: Any) -> Faults:
    """Lose each transmission with probability `loss`; `retry` goes to `MessageLoss`."""
    return Faults(name, None, _loss(seed, loss, **retry))


def crashes(
    *,
    workers: int,
    seed: int,
    name: str = "crashes",
    mttf_s: float | str,
    mttr_s: float | str,
    permanent: float = 0.0,
    loss: float = 0.0,
    **retry: Any,
) -> Faults:
    """Crash every worker again and again, after exponential times; see `Crashes`."""
    fails, repairs = _positive("mttf_s", mttf_s), _positive("mttr_s", mttr_s)
    return Faults(name, Crashes(seed, fails, repairs, _fraction("permanent", permanent)), _loss(seed, loss, **retry))


def scheduled(
    *, workers: int, seed: int, name: str = "scheduled", outages: Sequence[Any], loss: float = 0.0, **retry: Any
) -> Faults:
    """Crash workers at given times: `outages` are (worker, start, end) with end None for good."""
    known: defaultdict[int, list[Absence]] = defaultdict(list)
    for outage in outages:
        worker, start, end = _row("outages", outage, 3, workers)
        known[worker].append(Absence(_time("outages", start), math.inf if end is None else _time("outages", end)))
    for worker, absences in known.items():
        absences.sort(key=lambda absence: absence.start_s)
        ends = [-1.0, *(absence.end_s for absence in absences)]
        for absence, before in zip(absences, ends, strict=False):
            if not before < absence.start_s < absence.end_s:
                raise ValueError(
                    f"faults.outages: expected starts before ends and times that do not touch, got "
                    f"{absence.start_s} to {absence.end_s} s for worker {worker}"
                    + (f", which is away until {before} s already" if before >= 0 else "")
                )
    return Faults(name, Listed(known), _loss(seed, loss, **retry))


def elastic(
    *,
    workers: int,
    seed: int,
    name: str = "elastic",
    joins: Sequence[Any] = (),
    leaves: Sequence[Any] = (),
    loss: float = 0.0,
    **retry: Any,
) -> Faults:
    """Let workers join and leave: (worker, time) each; one whose first change is to join is not there before."""
    changes: defaultdict[int, list[tuple[float, bool]]] = defaultdict(list)
    for key, given, comes in (("joins", joins, True), ("leaves", leaves, False)):
        for row in given:
            worker, time = _row(key, row, 2, workers)
            changes[worker].append((_time(key, time), comes))
    known: dict[int, list[Absence]] = {}
    for worker, times in changes.items():
        times.sort()
        if times[0][1]:
            times.insert(0, (0.0, False))
        pairs = list(zip(times, times[1:], strict=False))
        if any(a == b or not x < y for (x, a), (y, b) in pairs):
            said = ", ".join(f"{'joins' if comes else 'leaves'} at {time} s" for time, comes in times)
            raise ValueError(f"faults.joins, faults.leaves: expected them in turn, got for worker {worker}: {said}")
        ends = [time for time, _ in times[1:]] + [math.inf]
        known[worker] = [Absence(t, end, False) for (t, comes), end in zip(times, ends, strict=True) if not comes]
    return Faults(name, Listed(known), _loss(seed, loss, **retry))


def _loss(
    seed: int,
    loss: float,
    *,
    retry_after_s: float | str = 0.2,
    backoff: float = 2.0,
    longest_s: float | str = 60.0,
) -> MessageLoss | None:
    probability = _fraction("loss", loss, below=True)
    if isinstance(backoff, bool) or not isinstance(backoff, (int, float)) or not 1 <= backoff < math.inf:
        raise ValueError(f"faults.backoff: expected a factor of at least 1, got {backoff!r}")
    first, longest = _positive("retry_after_s", retry_after_s), _positive("longest_s", longest_s)
    return MessageLoss(seed, probability, first, float(backoff), longest) if probability else None


def _fraction(key: str, value: object, below: bool = False) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not (0 <= value < 1 or (value == 1 and not below)):  # type: ignore[operator]
        raise ValueError(f"faults.{key}: expected a probability in [0, 1{')' if below else ']'}, got {value!r}")
    return float(value)  # type: ignore[arg-type]


def _time(key: str, value: object) -> float:
    return seconds(value, f"faults.{key}")


def _positive(key: str, value: object) -> float:
    if not (time := _time(key, value)) > 0:
        raise ValueError(f"faults.{key}: expected more than 0 seconds, got {value!r}")
    return time


def _row(key: str, row: Any, length: int, workers: int) -> Sequence[Any]:
    """Check that a row has its length and begins with a worker's number."""
    what = "[worker, start, end]" if length == 3 else "[worker, time]"
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != length:
        raise ValueError(f"faults.{key}: expected {what}, got {row!r}")
    if isinstance(row[0], bool) or not isinstance(row[0], int) or not 0 <= row[0] < workers:
        raise ValueError(f"faults.{key}: expected a worker in 0..{workers - 1}, got {row[0]!r} in {list(row)}")
    return row
