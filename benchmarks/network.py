"""Time the network alone, each figure with its limit, side by side in one run.

    python benchmarks/network.py
    python benchmarks/network.py --json

All times are CPU seconds of this process, medians of `--repeats` (the naive ring and the reference engine: once; the
costs per event on a star: the least, see `growth`).
'heterogeneous' workers all differ in rate, latency, start and size. Baselines of the ring: `benchmarks/naive_ring.py`,
the message-level program that one writes first in SimPy, at the same 512 ranks and with the same end to 1e-9; and the
network's own reference engine (``mode: message``), which shares links fairly and re-solves at each event, at fewer
ranks, since its cost grows with their cube.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import simpy

from benchmarks.churn import per_event_s, solve_s
from benchmarks.machine import facts
from benchmarks.naive_ring import naive_ring
from network_models import SERVER, Network, star
from network_models.sharing.hot_link import HotLink
from simulator.clock import Clock
from simulator.compute import Counted
from simulator.trace import Header

_SIZE = 1e6
_REFERENCE_RANKS = 48


def cpu_s(action: Callable[[], object], repeats: int) -> float:
    """Take the median CPU time of an action after one that is not counted."""
    action()
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        action()
        times.append(time.process_time() - begun)
    return statistics.median(times)


def heterogeneous(workers: int, mode: str = "collapsed") -> tuple[Network, np.ndarray, np.ndarray]:
    """Make a star of workers that all differ: its network, starts and sizes."""
    rng = np.random.default_rng(0)
    rates = rng.lognormal(np.log(1e8), 1.0, workers)
    hub = 1e5 * workers  # less than all workers together, so that it is shared
    net = star(workers, rates, 3 * rates, rng.uniform(0.01, 0.05, workers), hub, hub, mode=mode)
    return net, rng.uniform(0.0, 1.0, workers), rng.uniform(1e5, 1e6, workers)


def ring(workers: int, repeats: int) -> float:
    """Time an all-reduce of heterogeneous workers round a ring."""
    net, start, _ = heterogeneous(workers)
    return cpu_s(lambda: net.all_reduce(None, start, np.full(workers, _SIZE), lambda count: _SIZE), repeats)


def against_messages(repeats: int, ranks: int) -> dict[str, float]:
    """Compare the ring with the naive program, and at fewer ranks with the reference engine."""
    net, start, _ = heterogeneous(ranks)
    ends, following = np.arange(ranks), np.roll(np.arange(ranks), -1)
    latency, rate = net.paths.latency_s(ends, following), net.paths.rate_bps(ends, following)
    begun = time.process_time()
    naive = naive_ring(start.tolist(), latency.tolist(), rate.tolist(), _SIZE)
    naive_s = time.process_time() - begun
    finish = net.all_reduce(None, start, np.full(ranks, _SIZE), lambda count: _SIZE).finish
    np.testing.assert_allclose(finish, naive, rtol=1e-9)
    few = _REFERENCE_RANKS
    reference, start, _ = heterogeneous(few, mode="message")
    begun = time.process_time()
    reference.all_reduce(None, start, np.full(few, _SIZE), lambda count: _SIZE)
    reference_s = time.process_time() - begun
    ours = ring(ranks, repeats)
    return {
        "ring_s": ours,
        "naive_s": naive_s,
        "ring_speedup": naive_s / ours,
        f"speedup_over_reference_at_{few}": reference_s / ring(few, repeats),
    }


def server_round(workers: int, repeats: int) -> float:
    """Time a gather and a broadcast of heterogeneous workers."""
    net, start, sizes = heterogeneous(workers)

    def both() -> None:
        timing, everything = net.gather(None, start, sizes)
        net.broadcast(None, timing.finish, everything, _SIZE)

    return cpu_s(both, repeats)


def pushes(workers: int) -> float:
    """Time an event (a message arrives at the server's link, or has passed it) with all workers' messages under way."""
    net, _, sizes = heterogeneous(workers)
    env = simpy.Environment()
    network = net.fluid(env)
    begun = time.process_time()
    for worker in range(workers):
        network.transfer(worker, SERVER, float(sizes[worker]))
    env.run()
    return (time.process_time() - begun) / (2 * workers)


def hot_link(flows: int, events: int = 4000) -> float:
    """Time an event (a flow ends, another starts) of one link with so many different flows in flight."""
    rng = np.random.default_rng(0)
    bits, caps = (
        rng.uniform(1e6, 1e7, flows + events).tolist(),
        rng.lognormal(np.log(1e6), 1.0, flows + events).tolist(),
    )
    link = HotLink(1e6 * flows)
    for flow in range(flows):
        link.add(0.0, flow, bits[flow], caps[flow])
    link.next_finish()
    begun = time.process_time()
    for flow in range(flows, flows + events):
        now = link.next_finish()
        link.pop()
        link.add(now, flow, bits[flow], caps[flow])
    return (time.process_time() - begun) / (2 * events)


def growth(cost: Callable[[int], float], counts: list[int], repeats: int) -> dict[str, Any]:
    """Fit cost = c (log n)**p over the counts; p at most 1 is what heaps cost.

    Without the garbage collector, whose full passes over all that lives would fall to whoever runs then; all counts
    once per repetition, so that a busy neighbour slows all alike; the least of each, since memory shared with others
    only ever adds.
    """
    seconds = dict.fromkeys(counts, float("inf"))
    for _ in range(repeats):
        for count in counts:
            gc.collect()
            gc.disable()
            seconds[count] = min(seconds[count], cost(count))
            gc.enable()
    logarithm, costs = np.log(counts), np.log(list(seconds.values()))
    return {
        "us_per_event": {str(count): value * 1e6 for count, value in seconds.items()},
        "power_of_log": float(np.polyfit(np.log(logarithm), costs, 1)[0]),
        "power_of_n": float(np.polyfit(logarithm, costs, 1)[0]),
    }


def alike(workers: int, repeats: int) -> dict[str, float]:
    """Time rounds of workers that do the same: the network's calls alone, and a clock's round.

    What a timeline keeps of an evaluated mark (each worker's seconds, each link's bits) is not part of it.
    """
    net = star(workers, 1e8, 1e8, 0.01, 1e9, 1e9)

    def calls() -> None:
        for _ in range(100):
            timing, everything = net.gather(None, 0.0, np.broadcast_to(_SIZE, (workers,)))
            net.broadcast(None, timing.finish, everything, _SIZE)

    clock = Clock(Header(workers, 1, 1e9), star(workers, 1e8, 1e8, 0.01, 1e9, 1e9), Counted(workers=workers))
    entries: list[dict[str, Any]] = [
        {"op": "gradient", "step": 0},
        {"op": "work", "kind": "encode", "size": 1000},
        {"op": "gather", "size": 1000},
        {"op": "at_server", "size": 1000},
        {"op": "broadcast", "size": 1000},
        {"op": "mark", "round": 1},
    ]

    def rounds() -> None:
        for _ in range(100):
            for entry in entries:
                clock.play(entry)

    return {"calls_s": cpu_s(calls, repeats) / 100, "clock_s": cpu_s(rounds, repeats) / 100}


def measure(repeats: int) -> dict[str, Any]:
    """Take all figures."""
    few, many = alike(10, repeats), alike(100_000, repeats)
    return {
        "ring_512": against_messages(repeats, 512),
        "server_round_10000_s": server_round(10_000, repeats),
        "ring_10000_s": ring(10_000, min(repeats, 3)),
        "max_min": {"solve_s": solve_s(repeats), **per_event_s()},
        "hot_link": growth(hot_link, [1_000, 3_162, 10_000, 31_623, 100_000], repeats),
        "star": growth(pushes, [1_000, 3_162, 10_000, 31_623, 100_000], min(repeats, 3)),
        "alike": {"10": few, "100000": many, **{key: many[key] / few[key] for key in few}},
    }


def judged(found: dict[str, Any]) -> list[tuple[str, float, str, float, bool]]:
    """Hold each figure against its limit: what, figure, at most or at least, limit, whether it holds."""
    rows = [
        (
            "ring all-reduce, 512 unlike workers: times faster than SimPy messages",
            found["ring_512"]["ring_speedup"],
            300,
        ),
        ("server round, 10,000 unlike workers, s", found["server_round_10000_s"], 0.25),
        ("ring all-reduce, 10,000 unlike workers, s", found["ring_10000_s"], 1.5),
        ("max-min, 1,000 flows, 200 links, 10 % churn: one event solved, s", found["max_min"]["solve_s"], 0.005),
        ("the same, running: median event (100 start, or one ends), s", found["max_min"]["event_s"], 0.005),
        ("the same, running: 100 start at once, s", found["max_min"]["batch_s"], 0.005),
        ("star, event of transfers: power of log n", found["star"]["power_of_log"], 1.0),
        ("alike round, 100,000 workers over 10: network calls", found["alike"]["calls_s"], 2.0),
        ("alike round, 100,000 workers over 10: a clock's round", found["alike"]["clock_s"], 2.0),
    ]
    return [
        (what, value, "at least" if at == 0 else "at most", limit, value >= limit if at == 0 else value <= limit)
        for at, (what, value, limit) in enumerate(rows)
    ]


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    found = measure(options.repeats)
    rows = judged(found)
    machine = facts()
    print(f"{machine['processor']}, {machine['cores']} cores, load {machine['load_1min']}; CPU seconds, medians\n")
    for what, value, side, limit, holds in rows:
        print(f"{what:72s}{value:10.4g}   {side} {limit:<6g} {'holds' if holds else 'FAILS'}")
    for name in ("hot_link", "star"):
        costs = ", ".join(f"{count}: {value:.2f}" for count, value in found[name]["us_per_event"].items())
        print(f"\n{name}, us per event by flows in flight: {costs}; power of n {found[name]['power_of_n']:.2f}")
    if options.json:
        limits = [dict(zip(("what", "value", "side", "limit", "holds"), row, strict=True)) for row in rows]
        print(json.dumps({"found": found, "limits": limits, "options": vars(options), "machine": machine}))


if __name__ == "__main__":
    main()
