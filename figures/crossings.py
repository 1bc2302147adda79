"""Where two algorithms take equally long: between which bandwidths, then exactly, by re-timing both there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from figures.reaching import Times, question
from figures.retiming import seconds_at
from figures.targets import Goal

CLOSE = 1e-4  # of the times' ratio from 1, where a crossing is solved
TURNS = 12


@dataclass(frozen=True)
class Crossing:
    """Groups `first` and `second` (numbers) cross at `bandwidth_bps`, both taking `seconds`.

    `low` and `high` enclose it. `best` says whether nobody is faster there.
    """

    first: int
    second: int
    bandwidth_bps: float
    seconds: float
    low: tuple[float, float]  # bandwidth, and log of first's seconds over second's there
    high: tuple[float, float]
    solved: bool = False
    best: bool = False


def interpolated(times: Times) -> list[Crossing]:
    """Find every change of order between neighbouring bandwidths, on straight lines between logarithms."""
    found = []
    rates = times.bandwidth_bps
    for first, second in combinations(range(len(times.labels)), 2):
        a, b = times.seconds[first, :, 0], times.seconds[second, :, 0]
        known = np.isfinite(a) & np.isfinite(b)
        x, gap, both = rates[known], np.log(a[known] / b[known]), a[known]
        for at in range(x.size - 1):
            if gap[at] * gap[at + 1] < 0:
                low, high = (float(x[at]), float(gap[at])), (float(x[at + 1]), float(gap[at + 1]))
                rate = between(low, high)
                share = np.log(rate / low[0]) / np.log(high[0] / low[0])
                seconds = float(np.exp((1 - share) * np.log(both[at]) + share * np.log(both[at + 1])))
                found.append(Crossing(first, second, rate, seconds, low, high))
    return [_judged(crossing, times) for crossing in found]


def between(low: tuple[float, float], high: tuple[float, float]) -> float:
    """Give the bandwidth at which a straight line in its logarithm is zero."""
    share = low[1] / (low[1] - high[1])
    return float(np.exp((1 - share) * np.log(low[0]) + share * np.log(high[0])))


def solved(crossings: Sequence[Crossing], times: Times, goal: Goal, network: str) -> list[Crossing]:
    """Re-time both groups at each crossing, and nearer, until their times agree to a ten thousandth.

    The bracket is kept, so the answer lies where the sign changed; where a step stays on one side twice, the middle of
    the bracket is tried instead.
    """
    found, sides = list(crossings), [0] * len(crossings)
    for turn in range(TURNS):
        open_ = [at for at, crossing in enumerate(found) if not crossing.solved]
        if not open_:
            break
        asked = [
            (at, member, run)
            for at in open_
            for member in (found[at].first, found[at].second)
            for run in times.runs[member]
        ]
        latency = float(times.latency_s[0])
        delay = None if np.isnan(latency) else latency
        answers = seconds_at([question(run, goal, found[at].bandwidth_bps, delay) for at, _, run in asked], network)
        for at in open_:
            told: dict[int, list[float]] = {found[at].first: [], found[at].second: []}
            for (where, member, _), seconds in zip(asked, answers, strict=True):
                if where == at:
                    told[member].append(seconds)
            a, b = (float(np.mean(seconds)) for seconds in told.values())
            found[at], sides[at] = _nearer(found[at], a, b, sides[at], last=turn == TURNS - 1)
    return [_judged(crossing, times) for crossing in found]


def _nearer(crossing: Crossing, a: float, b: float, side: int, last: bool) -> tuple[Crossing, int]:
    here = (crossing.bandwidth_bps, float(np.log(a / b)))
    if abs(here[1]) < CLOSE or last or crossing.high[0] / crossing.low[0] < 1 + CLOSE:
        return replace(crossing, seconds=float(np.sqrt(a * b)), solved=True), side
    below = here[1] * crossing.low[1] > 0
    low, high = (here, crossing.high) if below else (crossing.low, here)
    now = 1 if below else -1
    rate = between(low, high) if now != side else float(np.sqrt(low[0] * high[0]))
    return replace(crossing, bandwidth_bps=rate, low=low, high=high), now if now != side else 0


def _judged(crossing: Crossing, times: Times) -> Crossing:
    """Say whether somebody else is faster there, read off straight lines between logarithms."""
    for number in range(len(times.labels)):
        seconds = times.seconds[number, :, 0]
        known = np.isfinite(seconds)
        if number in (crossing.first, crossing.second) or not known.any():
            continue
        rates = times.bandwidth_bps[known]
        if rates[0] <= crossing.bandwidth_bps <= rates[-1]:
            there = np.exp(np.interp(np.log(crossing.bandwidth_bps), np.log(rates), np.log(seconds[known])))
            if there < crossing.seconds:
                return replace(crossing, best=False)
    return replace(crossing, best=True)
