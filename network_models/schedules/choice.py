"""Which all-reduce is cheapest for a call? Closed forms with the slowest participant's link, or a trial.

A program among alike ranks takes, step by step, the latency and the most that any rank sends or receives at the rate of
the slowest path; that is exact on a star of alike links for every schedule whose ranks all take part in every step.
Where links are shared in the middle, each schedule is tried instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from network_models.fabric import SERVER, Integers
from network_models.paths import Paths, hot_bps
from network_models.schedules.call import Call
from network_models.schedules.hierarchical import squarest
from network_models.schedules.registry import ALL_REDUCE
from network_models.schedules.step import Program, Step
from network_models.timing import spread


def candidates(call: Call) -> list[str]:
    """The all-reduce schedules that this call can take, ties going to the first; 'server' where there is one.

    Not sharded over the ranks themselves: every rank sending to every other at once looks best of all to a fluid model,
    but is what overruns the buffers of real switches.
    """
    names = [name for name in ALL_REDUCE if name != "rabenseifner"]  # another name for halving_doubling
    if not call.groups:
        names.remove("hierarchical")
    if squarest(call.ranks) == 1:
        names.remove("torus_2d")  # it would be the plain ring
    if call.servers < 2:
        names.remove("sharded_server")
    return [*names, "server"] if call.servers else names


def cheapest_all_reduce(
    paths: Paths, workers: Integers, call: Call, trial: Callable[[str, Call], float | None] | None = None
) -> str:
    """Name the schedule that takes the least time (ties go to the first).

    Parameters
    ----------
    paths : Paths
    workers : ndarray of int, shape (w,)
    call : Call
        All ranks are taken to contribute the largest payload.
    trial : callable, optional
        Name and call to seconds, where closed forms would not do; None from it for what is too much to try.

    Notes
    -----
    With w ranks, path latency a, rate B (bits/s), M(c) bits after c payloads were merged (M(1) = the largest payload):
    for instance ring = 2 (w-1) a + [sum of M(1..w-1) + (w-1) M(w)] / (w B); server = 2 (a1 + M max(1 / B1, w /
    Bserver)).
    """
    if call.ranks == 1:
        return "ring"
    call = replace(call, sizes_bytes=spread(call.largest, call.ranks))
    names = candidates(call)
    tried = {name: seconds for name in names if (seconds := trial(name, call)) is not None} if trial else {}
    if not tried:
        here, there = workers, np.concatenate((workers[1:], workers[:1]))
        if paths.fabric.alike(workers) and paths.jitter is None:
            here, there = workers[:1], workers[1:2]
        rate, latency = float(paths.rate_bps(here, there).min()), float(paths.latency_s(here, there).max())
        for name in names:
            if name == "server" or name == "sharded_server":
                tried[name] = _server(paths, workers, call, 1 if name == "server" else call.servers)
            else:
                tried[name] = estimate(paths, ALL_REDUCE[name](call), latency, rate)
    return min(tried, key=tried.__getitem__)


def estimate(paths: Paths, program: Program, latency_s: float, rate_bps: float) -> float:
    """Seconds of a program on alike links, if every rank takes part in every step."""
    if any(step.lag > 1 for step in program.steps):
        return _pipelined(paths, program, latency_s, rate_bps)
    return sum(step.times * (latency_s + _most(paths, step, program.ranks) / rate_bps) for step in program.steps)


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
    if step.symmetric:
        return step.each(ranks) * float(np.max(paths.bits(step.size_bytes)))
    bits = np.broadcast_to(paths.bits(step.size_bytes), step.source.shape)
    return float(max(np.bincount(ends, bits).max() for ends in (step.source, step.destination)))


def _server(paths: Paths, workers: Integers, call: Call, shards: int = 1) -> float:
    """Gather at the server and broadcast from there, or as much at each of several."""
    here = workers[:1] if paths.fabric.alike(workers) and paths.jitter is None else workers
    seconds = 0.0
    for size, ends in ((call.largest, (here, SERVER)), (call.result, (SERVER, here))):
        shared = hot_bps(paths, *(end if isinstance(end, int) else 0 for end in ends)) / call.ranks
        rate = min(float(paths.rate_bps(*ends).min()) / shards, shared)
        seconds += float(paths.latency_s(*ends).max()) + float(paths.bits(size / shards)) / rate
    return seconds
