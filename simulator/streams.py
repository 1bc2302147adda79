"""The two streams of a worker: one computes, one communicates; a forked branch runs on the second beside the first.

Branches take the communication stream in the order in which they were forked, each worker by itself, as NCCL's and
DDP's do. A branch begins when what it sends is ready and the stream is free. What it works on before its first
collective is put into the computing stream at the time when the branch is ready, and delays the rest of the backward
pass; what it works on afterwards depends on what was received and stays on the communication stream.

A worker pays for a branch at its join, and only the part that its computing stream had to wait for; the rest was
hidden. w workers of a branch, n workers in all; every array is in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from network_models import Timing
from network_models.even import copied, even, lifted

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
LAST_FIRST = ("encode", "downlink", "uplink", "waiting")  # the order within a leg, from its end backwards


@dataclass(frozen=True, eq=False)
class Leg:
    """A collective, or work that depends on one, on the communication streams of some workers.

    Parameters
    ----------
    begin, finish : ndarray, shape (w,)
        From when until when.
    spent : dict of str to ndarray, shape (w,)
        On what, as `Moment.spent`.
    """

    begin: Floats
    finish: Floats
    spent: dict[str, Floats]

    @classmethod
    def of(cls, begin: Floats, timing: Timing, up: float) -> Leg:
        """Take a collective's Timing; `up` is the uplink's share of its latency, its queueing is split as its time.

        Where a half has not the time for its share of the two, the other half has the rest.
        """
        spent = {kind: getattr(timing, kind) for kind in ("uplink", "downlink", "waiting")}
        moved = lifted(np.add, timing.uplink, timing.downlink)
        room = [moved, timing.uplink, timing.downlink]
        for kind, seconds in (("latency", timing.latency), ("queue", timing.queueing)):
            spent[kind] = lifted(np.minimum, seconds, room[0])
            share = up if kind == "latency" else lifted(_in_proportion, 1.0, timing.uplink, moved)
            above = lifted(_share, share, spent[kind], room[1], room[2])
            spent[f"uplink_{kind}"], spent[f"downlink_{kind}"] = above, lifted(np.subtract, spent[kind], above)
            used = (spent[kind], above, spent[f"downlink_{kind}"])
            room = [lifted(np.subtract, *pair) for pair in zip(room, used, strict=True)]
        return cls(begin, timing.finish, spent)

    def later(self, other: Leg) -> Leg:
        """Take the one that ends later, worker by worker, this one where both end together."""

        def choose(mine: Floats, theirs: Floats) -> Floats:
            return lifted(_where_later, self.finish, other.finish, mine, theirs)

        spent = {kind: choose(values, other.spent[kind]) for kind, values in self.spent.items()}
        return Leg(choose(self.begin, other.begin), choose(self.finish, other.finish), spent)

    def after(self, time: Floats) -> dict[str, Floats]:
        """Give what of the leg lies after `time`: it waits first, then sends, then receives."""
        left = lifted(_overlap, self.begin, self.finish, time)
        parts: dict[str, Floats] = {}
        for kind in LAST_FIRST:
            if kind in self.spent:
                parts[kind] = lifted(np.minimum, left, self.spent[kind])
                left = lifted(np.subtract, left, parts[kind])
        for kind in ("uplink", "downlink"):
            if kind in parts:
                for part in (f"{kind}_latency", f"{kind}_queue"):
                    parts[part] = lifted(_in_proportion, self.spent[part], parts[kind], self.spent[kind])
        if "uplink" in parts:
            for part in ("latency", "queue"):
                parts[part] = lifted(np.add, parts[f"uplink_{part}"], parts[f"downlink_{part}"])
        return parts


def _share(share: Floats, seconds: Floats, mine: Floats, theirs: Floats) -> Floats:
    """Give this half's share of some seconds, of which no half gets more than it has room for."""
    return np.minimum(np.maximum(share * seconds, seconds - theirs), mine)


def _where_later(mine_ends: Floats, theirs_ends: Floats, mine: Floats, theirs: Floats) -> Floats:
    return np.where(mine_ends >= theirs_ends, mine, theirs)


def _overlap(begin: Floats, finish: Floats, time: Floats) -> Floats:
    return np.maximum(finish - np.maximum(begin, time), 0.0)


def _in_proportion(value: Floats, part: Floats, whole: Floats) -> Floats:
    return value * part / np.where(whole > 0, whole, 1.0)


def bill(spend: Callable[[str, Floats], None], legs: Iterable[Leg], now: Floats, until: Floats) -> None:
    """Tell `spend` what workers that stand at `now` pay for legs that end by `until`, by kind.

    Time until `until` in which no leg was under way is waiting. `hidden` is how long the communication stream was busy
    beside the computing one.
    """
    blocked = lifted(_overlap, now, until, now)
    for leg in legs:
        paid = leg.after(now)
        for kind, seconds in paid.items():
            spend(kind, seconds)
        for kind in LAST_FIRST:
            if kind in paid:
                blocked = lifted(np.subtract, blocked, paid[kind])
                if kind != "waiting":
                    spend("hidden", lifted(np.subtract, leg.spent[kind], paid[kind]))
    spend("waiting", lifted(np.maximum, blocked, 0.0))


@dataclass(eq=False)
class Branch:
    """One exchange beside the computation.

    Parameters
    ----------
    name : str
    workers : ndarray of int, shape (w,)
    trunk : ndarray, shape (n,)
        Where the computing streams stand.
    trunk_server : float
        Where the server stood in the program that forked.
    """

    name: str
    workers: Integers
    trunk: Floats
    trunk_server: float
    legs: list[Leg] = field(default_factory=list)
    finish: Floats = field(default_factory=lambda: np.zeros(0))
    server: float = 0.0


class Streams:
    """What the clock remembers of the communication streams of n workers, and of the gradient that branches begin in.

    Attributes
    ----------
    free : ndarray, shape (n,)
        When each communication stream is through with what was forked so far.
    server : float
        The same for the server's.
    lent : ndarray, shape (n,)
        What branches put into each computing stream since the latest gradient.
    """

    def __init__(self, workers: int) -> None:
        self.free = self.lent = even(0.0, workers)
        self.server = 0.0
        self._under_way: dict[str, Branch] = {}
        self._gradient: tuple[Floats, Floats] | None = None

    def gradient(self, begin: Floats, finish: Floats) -> None:
        """Note the gradient that branches may begin in, shape (n,) both; it is the computing stream's latest op."""
        self._gradient = begin, lifted(np.subtract, finish, begin)
        self.lent = even(0.0, len(begin))

    def interrupt(self) -> None:
        """Note that the computing stream did something else: what is forked from here on is ready at once."""
        self._gradient = None

    def ready(self, now: Floats, fraction: float) -> Floats:
        """Give the time at which a fraction of the latest gradient is there, shape (n,); never after `now`."""
        if self._gradient is None:
            return copied(now)
        begin, seconds = self._gradient
        return lifted(_reached, begin, seconds, self.lent, fraction, now)

    def close(self, branch: Branch, finish: Floats, server: float) -> None:
        """Note a branch that ends at `finish`, shape (w,).

        Raises
        ------
        ValueError
            If a branch of that name is under way.
        """
        if branch.name in self._under_way:
            raise ValueError(f"trace: expected a new name for a branch, got {branch.name!r}, which is under way")
        branch.finish, branch.server = finish, server
        self._under_way[branch.name] = branch
        if branch.legs:
            self.server = server

    def take(self, name: str) -> Branch:
        """Give the branch that is waited for; ValueError if none of that name is under way."""
        if name not in self._under_way:
            raise ValueError(f"trace: expected a join of a branch under way, got {name!r}")
        return self._under_way.pop(name)


def _reached(begin: Floats, seconds: Floats, lent: Floats, fraction: float, now: Floats) -> Floats:
    return np.minimum(begin + fraction * seconds + lent, now)
