"""Many networks for one trace: what repeats is timed once, and plain stars are timed side by side.

A collective on constant links takes as long whenever it begins, so that a round that begins as an earlier one of the
same sizes did, with compute times that are not drawn, is that round again: its times are added, not found anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from network_models import Network
from network_models.batch import is_plain_star
from network_models.fabric import Floats
from simulator.batch_clock import OPS, BatchClock
from simulator.compute import Compute
from simulator.compute.stragglers import NoStragglers
from simulator.drivers.replay import retimed
from simulator.moment import SPENT, Moment
from simulator.rounds import Round, Rounds, read_rounds

_KNOWN = 256  # rounds that are remembered, each from one state; then all are forgotten
Marks = list[tuple[int, Moment]]


def retimed_many(
    path: Path,
    networks: Sequence[Network],
    computes: Sequence[Compute],
    marks: set[int],
    rounds: Rounds | None = None,
) -> list[Marks]:
    """Play a trace on many networks and give the moments of each at the named marks.

    Parameters
    ----------
    path : Path
        Of a trace that is not racy.
    networks, computes : sequence of Network, of Compute, both of length B
        A compute model that many networks share is asked once for all.
    marks : set of int
        Rounds.
    rounds : Rounds, optional
        What `read_rounds` made of the trace before.

    Returns
    -------
    list of B lists of (round, Moment)
        As `drivers.replay.retimed` gives them one by one, to 1e-12 of the time that has passed: sums are taken round
        by round here, and on from moment to moment there.

    Raises
    ------
    ValueError
        If the trace is missing or damaged.
    """
    rounds = rounds or read_rounds(path)
    if rounds is None or rounds.pieces or not rounds.ops <= OPS:
        return [retimed(path, *pair, marks) for pair in zip(networks, computes, strict=True)]
    columns = list(zip(networks, computes, strict=True))
    alike: dict[tuple[bool, str | None], list[int]] = {}  # those that one pass can serve
    for b, (network, compute) in enumerate(columns):
        kind = repr(network.schedules) if is_plain_star(network) else None
        alike.setdefault((_repeats(network, compute), kind), []).append(b)
    moments: list[Marks] = [[] for _ in columns]
    for (memory, _), chosen in alike.items():
        for b, of in zip(chosen, _Replay(rounds, [columns[b] for b in chosen], memory).play(marks), strict=True):
            moments[b] = of
    return moments


def _repeats(network: Network, compute: Compute) -> bool:
    """Whether a round depends on nothing but how it begins."""
    stragglers = getattr(getattr(compute, "workers", None), "stragglers", None)
    return network.paths.plain and isinstance(stragglers, NoStragglers)


@dataclass(frozen=True, eq=False)
class _Played:
    """What a round adds, and how it leaves the workers.

    Parameters
    ----------
    seconds : ndarray, shape (B,)
    spent : ndarray, shape (kinds, n, B)
    carried : dict of int to ndarray, shape (R,)
        Bits on each resource of the networks that speak for the others (see `Batch.speakers`).
    after : _State
    """

    seconds: Floats
    spent: Floats
    carried: dict[int, Floats]
    after: _State


class _State:
    """Where workers stand, as seconds before the makespan, shape (n, B); the server too, where that can matter."""

    def __init__(self, now: Floats, server: Floats, active: np.ndarray | None) -> None:
        self.now, self.server, self.active = now, server, active

    @cached_property
    def key(self) -> bytes:
        """What equal states share."""
        parts = (self.now.tobytes(), self.server.tobytes(), b"" if self.active is None else self.active.tobytes())
        return hashlib.sha256(b"".join(parts)).digest()


class _Replay:
    """One pass over the rounds of a trace."""

    def __init__(self, rounds: Rounds, columns: Sequence[tuple[Network, Compute]], memory: bool) -> None:
        networks, computes = [network for network, _ in columns], [compute for _, compute in columns]
        self._rounds, self._memory = rounds, memory and bool(rounds.repeated)
        self._clock = BatchClock(rounds.header, networks, computes)
        self._server_matters = any(each.server_first for each in rounds.rounds)
        self._known: dict[tuple[int, bytes], _Played] = {}

    def play(self, marks: set[int]) -> list[Marks]:
        """Give the moments of every column at the marks."""
        clock, columns = self._clock, self._clock.server.size
        seconds, spent = np.zeros(columns), np.zeros_like(clock.spent)
        carried = {speaker: np.zeros_like(bits) for speaker, bits in clock.batch.carried_bits().items()}
        state = self._state(clock.now, clock.server)
        moments: list[Marks] = [[] for _ in range(columns)]
        for each in self._rounds.rounds:
            played = self._play(each, state, seconds)
            seconds, state = seconds + played.seconds, played.after
            spent += played.spent
            for speaker, bits in played.carried.items():
                carried[speaker] += bits
            if each.number in marks:
                self._note(moments, each.number, seconds, spent, carried, state)
        return moments

    def _play(self, each: Round, state: _State, seconds: Floats) -> _Played:
        if not self._memory or each.kind not in self._rounds.repeated:
            return self._anew(each, state, seconds)
        key = each.kind, state.key
        if key not in self._known:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[key] = self._anew(each, state, seconds)
        return self._known[key]

    def _anew(self, each: Round, state: _State, seconds: Floats) -> _Played:
        """Play a round from time zero on, or at the time that it is where that matters."""
        clock = self._clock
        since = np.zeros_like(seconds) if self._memory else seconds
        clock.begin(state.now + since, state.server + since, state.active)
        before = clock.batch.carried_bits()
        for entry in each.entries:
            clock.play(entry)
        carried = {speaker: after - before[speaker] for speaker, after in clock.batch.carried_bits().items()}
        end = clock.seconds
        return _Played(end - since, clock.spent, carried, self._state(clock.now - end, clock.server - end))

    def _state(self, now: Floats, server: Floats) -> _State:
        if not self._server_matters:
            server = np.where(server <= now.min(axis=0), -np.inf, server)  # whoever asks for it next sends first
        return _State(now, server, self._clock.active)

    def _note(
        self, moments: list[Marks], t: int, seconds: Floats, spent: Floats, carried: dict[int, Floats], state: _State
    ) -> None:
        """Note a mark; a worker that is ahead has been waiting since."""
        waiting = SPENT.index("waiting")
        for b, of in enumerate(moments):
            kinds = {kind: spent[number, :, b].copy() for number, kind in enumerate(SPENT)}
            kinds["waiting"] = spent[waiting, :, b] - state.now[:, b]
            bits = carried[self._clock.batch.speakers[b]].copy()
            of.append((t, Moment(float(seconds[b]), kinds, bits)))
