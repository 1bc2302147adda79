"""Which all-reduce is cheapest for a call? Closed forms with the slowest participant's link.

A program among alike ranks takes, step by step, the latency and the most that any rank sends or receives at the rate of
the slowest path; that is exact on a star of alike links for every schedule whose ranks all take part in every step.
"""

from __future__ import annotations

import numpy as np

from network_models.fabric import SERVER, Integers
from network_models.paths import Paths, hot_bps
from network_models.schedules.call import Call
from network_models.schedules.hierarchical import squarest
from network_models.schedules.registry import ALL_REDUCE
from network_models.schedules.step import Program, Step

# Not tried: what rests on every rank sending to every other at once, for such bursts overrun the buffers of real
# switches, and what another name stands for.
_LEFT_OUT = frozenset({"rabenseifner"})


def candidates(call: Call) -> list[str]:
    """The all-reduce schedules that this call can take, ties going to the first; 'server' where there is one."""
    names = [name for name in ALL_REDUCE if name not in _LEFT_OUT]
    if not call.groups:
        names.remove("hierarchical")
    if squarest(call.ranks) == 1:
        names.remove("torus_2d")  # it would be the plain ring
    if call.servers < 2:
        names.remove("sharded_server")
    return [*names, "server"] if call.servers else names


def cheapest_all_reduce(paths: Paths, workers: Integers, call: Call) -> str:
    """Name the schedule with the least closed-form time (ties go to the first).

    Notes
    -----
    With w ranks, path latency a, rate B (bits/s), M(c) bits after c payloads were merged (M(1) = the largest payload):
    for instance ring = 2 (w-1) a + [sum of M(1..w-1) + (w-1) M(w)] / (w B); server = 2 (a1 + M max(1 / B1, w /
    Bserver)).
    """
    if call.ranks == 1:
        return "ring"
    largest = Call(np.broadcast_to(np.float64(call.largest), call.ranks), call.merged, call.segments, call.groups)
    here, there = workers, np.concatenate((workers[1:], workers[:1]))
    if paths.fabric.alike(workers) and paths.jitter is None:
        here, there = workers[:1], workers[1:2]
    rate, latency = float(paths.rate_bps(here, there).min()), float(paths.latency_s(here, there).max())
    times = {}
    for name in candidates(call):
        if name == "server":
            times[name] = _server(paths, workers, call)
        elif name == "sharded_server":
            times[name] = _server(paths, workers, call, call.servers)
        else:
            times[name] = estimate(paths, ALL_REDUCE[name](largest), latency, rate)
    return min(times, key=times.__getitem__)


def estimate(paths: Paths, program: Program, latency_s: float, rate_bps: float) -> float:
    """Seconds of a program on alike links, if every rank takes part in every step."""
    total = 0.0
    lagging = [step for step in program.steps if step.lag > 1]
    if lagging:
        return _pipelined(paths, program, latency_s, rate_bps)
    for step in program.steps:
        total += step.times * (latency_s + _most(paths, step, program.ranks) / rate_bps)
    return total


def _pipelined(paths: Paths, program: Program, latency_s: float, rate_bps: float) -> float:
    """The ends of messages that follow each other: E[i] = max(E[i - lag] + a, E[i - 1]) + c[i].

    A run of equal steps settles into a rhythm, so that only its first few turns are gone through.
    """
    ends = [0.0] * program.steps[0].lag
    drained = 0.0
    for step in program.steps:
        cost = _most(paths, step, program.ranks) / rate_bps
        turns, lag = step.times, step.lag
        shown = min(turns, 3 * lag + (turns - 3 * lag) % lag if turns > 3 * lag else turns)
        for _ in range(shown):
            drained = max(ends[0] + latency_s, drained) + cost
            ends = [*ends[1:], drained]
        if turns > shown:
            rest = (turns - shown) // lag * max(lag * cost, latency_s + cost)
            drained, ends = drained + rest, [end + rest for end in ends]
    return drained


def _most(paths: Paths, step: Step, ranks: int) -> float:
    """The most bits that one rank sends, or receives, in a step."""
    bits = paths.bits(step.size_bytes)
    if step.symmetric or not bits.ndim:
        if step.symmetric or _alone(step):
            return float(bits.max())
    each = np.broadcast_to(bits, step.source.shape)
    return float(max(np.bincount(ends % ranks, each).max() for ends in (step.source, step.destination)))


def _alone(step: Step) -> bool:
    """Whether there is only one message, so that no two meet."""
    return len(step.source) == 1


def _server(paths: Paths, workers: Integers, call: Call, shards: int = 1) -> float:
    """Gather at the server and broadcast from there, or as much at each of several."""
    here = workers[:1] if paths.fabric.alike(workers) and paths.jitter is None else workers
    up, down = paths.bits(call.largest / shards), paths.bits(call.result / shards)
    own = 1.0 / shards
    to_server = 1.0 / min(float(paths.rate_bps(here, SERVER).min()) * own, hot_bps(paths, 0, SERVER) / call.ranks)
    from_server = 1.0 / min(float(paths.rate_bps(SERVER, here).min()) * own, hot_bps(paths, SERVER, 0) / call.ranks)
    ways = float(paths.latency_s(here, SERVER).max()) + float(paths.latency_s(SERVER, here).max())
    return ways + float(up) * to_server + float(down) * from_server
