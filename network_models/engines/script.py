"""What each node of a program does, step by step, and how its time is accounted for once its messages have arrived."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from network_models.fabric import Floats, Integers
from network_models.paths import Paths
from network_models.schedules.step import Program
from network_models.timing import Timing
from network_models.transfer import Transfer


@dataclass(slots=True, eq=False)
class Leg:
    """One message of a program, between nodes by their position (servers from the end)."""

    step: int
    source: int
    destination: int
    size_bytes: float
    rendezvous: bool
    lag: int
    record: Transfer | None = None
    stall_s: float = 0.0
    alone_s: float = 0.0


@dataclass(slots=True, eq=False)
class Part:
    """What one node does in one step."""

    step: int
    lag: int
    reducing: bool
    sent: list[Leg] = field(default_factory=list)
    received: list[Leg] = field(default_factory=list)


def script(program: Program) -> list[list[Part]]:
    """The parts of each rank, and then of each server, the last server first."""
    nodes = program.ranks + program.servers
    parts: list[list[Part]] = [[] for _ in range(nodes)]
    number = 0
    for step in program.steps:
        columns = ((step.source % nodes).tolist(), (step.destination % nodes).tolist(), step.sizes.tolist())
        for _ in range(step.times):
            for source, destination, size in zip(*columns, strict=True):
                leg = Leg(number, source, destination, size, step.rendezvous, step.lag)
                for node in (source, destination):
                    if not parts[node] or parts[node][-1].step != number:
                        parts[node].append(Part(number, step.lag, step.reducing))
                parts[source][-1].sent.append(leg)
                parts[destination][-1].received.append(leg)
            number += 1
    return parts


def players(workers: Integers, program: Program) -> list[int]:
    """The node of each position of a script."""
    return [*workers.tolist(), *range(-program.servers, 0)]


def account(paths: Paths, parts: list[list[Part]], start: Floats) -> Timing:
    """Say where the ranks' time went; the same account as the vector engine's, plus the queueing.

    Notes
    -----
    A step's transfer time is the union of its messages' times since the node was through with what came before.
    """
    _when_alone(paths, parts)
    ranks = len(start)
    busy, latency, queueing, finish = np.zeros((2, ranks)), np.zeros(ranks), np.zeros(ranks), np.array(start, float)
    for rank in range(ranks):
        reached = float(start[rank])
        for part in parts[rank]:
            legs = part.sent + part.received
            records = [leg.record for leg in legs if leg.record is not None]
            moving, end = _union([(record.start_s, record.finish_s) for record in records], reached)
            first = records[0]
            propagation = min(max(first.start_s + first.latency_s - reached, 0.0), first.latency_s)
            late = end - max(reached, *(leg.alone_s for leg in legs))
            busy[int(not part.reducing), rank] += moving
            latency[rank] += min(propagation, moving)
            queueing[rank] += min(max(late, 0.0), moving)
            reached = end
        finish[rank] = reached
    return Timing.between(start, finish, busy[0], busy[1], latency, queueing)


def _union(intervals: list[tuple[float, float]], reached: float) -> tuple[float, float]:
    """How long any interval lasts after `reached`, and when the last ends."""
    total = 0.0
    for begin, end in sorted(intervals):
        total += max(end - max(begin, reached), 0.0)
        reached = max(reached, end)
    return total, reached


def _when_alone(paths: Paths, parts: list[list[Part]]) -> None:
    """Find when each message would have arrived had its path been its own, all in one array."""
    legs = [leg for own in parts for part in own for leg in part.sent]
    records = [leg.record for leg in legs if leg.record is not None]
    if not records:
        return
    behind: dict[tuple[int, int], float] = {}
    flows = []
    for leg, record in zip(legs, records, strict=True):
        begin = record.start_s + record.latency_s + leg.stall_s
        if leg.lag > 1:
            begin = max(begin, behind.get((leg.source, leg.destination), begin))
            behind[leg.source, leg.destination] = record.finish_s
        flows.append(begin)
    ends = (np.array([record.source for record in records]), np.array([record.destination for record in records]))
    alone = paths.arrival_s(*ends, np.array(flows), np.array([record.size_bytes for record in records]))
    for leg, time in zip(legs, alone.tolist(), strict=True):
        leg.alone_s = time
