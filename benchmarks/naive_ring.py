"""A ring all-reduce as one writes it first in SimPy: what the network's vectors are measured against.

A process for each worker, a Resource for each link, a process for each message that holds the link for its time, and a
Store at each worker in which messages arrive: about eight events a message. It shares nothing with `network_models`.
"""

from __future__ import annotations

from collections.abc import Generator

import simpy

Steps = Generator[simpy.Event, object, None]


def naive_ring(start_s: list[float], latency_s: list[float], bps: list[float], size_bytes: float) -> list[float]:
    """Simulate an all-reduce of `size_bytes` in 2 (w - 1) steps, rank r sending to rank r + 1.

    Parameters
    ----------
    start_s : list of float, length w
        When each rank is ready.
    latency_s, bps : list of float, length w
        Of the path from each rank to the next.
    size_bytes : float

    Returns
    -------
    list of float, length w
        When each rank is through.
    """
    ranks = len(start_s)
    env = simpy.Environment()
    links = [simpy.Resource(env, 1) for _ in range(ranks)]
    boxes = [simpy.Store(env) for _ in range(ranks)]
    finish = [0.0] * ranks

    def message(rank: int, delivered: simpy.Event) -> Steps:
        with links[rank].request() as granted:
            yield granted
            yield env.timeout(latency_s[rank] + 8.0 * size_bytes / ranks / bps[rank])
        yield boxes[(rank + 1) % ranks].put(rank)
        delivered.succeed()

    def worker(rank: int) -> Steps:
        yield env.timeout(start_s[rank])
        for _ in range(2 * (ranks - 1)):
            delivered = env.event()
            env.process(message(rank, delivered))
            yield env.all_of([delivered, boxes[rank].get()])
        finish[rank] = env.now

    for rank in range(ranks):
        env.process(worker(rank))
    env.run()
    return finish
