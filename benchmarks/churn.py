"""General max-min under churn: 1,000 flows of 2 to 4 links out of 200, of which a tenth is replaced at each event."""

from __future__ import annotations

import statistics
import time
from random import Random

import numpy as np

from network_models.sharing import Clusters, Flow
from network_models.sharing.filling import NOWHERE, fill

FLOWS, LINKS, REPLACED = 1000, 200, 100


def route(random: Random) -> tuple[int, ...]:
    """Draw different links."""
    return tuple(random.sample(range(LINKS), random.randint(2, 4)))


def capacities(random: Random) -> list[float]:
    """Draw the links' rates, all different."""
    return [random.lognormvariate(18.0, 1.0) for _ in range(LINKS)]


def solve_s(events: int) -> float:
    """Time one solution of all flows, a tenth of them new, every link and route changed in place: the median event."""
    random = Random(0)
    limits = np.array([np.inf, *capacities(random)])
    ways = np.full((FLOWS, 4), NOWHERE)
    counts, caps = np.ones(FLOWS), np.full(FLOWS, np.inf)
    seconds = []
    for event in range(events + 1):
        fresh = range(FLOWS) if event == 0 else random.sample(range(FLOWS), REPLACED)
        routes = {flow: route(random) for flow in fresh}
        begun = time.process_time()
        for flow, way in routes.items():
            ways[flow] = NOWHERE
            ways[flow, : len(way)] = [link + 1 for link in way]
        fill(ways, counts, caps, limits)
        seconds.append(time.process_time() - begun)
    return statistics.median(seconds[1:])


def per_event_s(batches: int = 10) -> dict[str, float]:
    """Run the engine itself: when a tenth of the flows has ended, one by one, as many start at one instant.

    Returns
    -------
    dict
        `event_s`, the median over all events, each end of a flow being one, and `batch_s`, over those of many starts.
    """
    random = Random(0)
    sharing, sequence = Clusters(capacities(random)), 0
    events: list[float] = []
    starts: list[float] = []

    def flows(count: int) -> list[Flow]:
        nonlocal sequence
        sequence += count
        return [Flow(sequence - i, route(random), random.lognormvariate(16.0, 1.0)) for i in range(count)]

    sharing.start(0.0, flows(FLOWS))
    for _ in range(batches):
        ended = 0
        while ended < REPLACED:
            begun = time.process_time()
            now = sharing.next_finish()
            ended += len(sharing.finish(now))
            sharing.next_finish()
            events.append(time.process_time() - begun)
        fresh = flows(REPLACED)
        begun = time.process_time()
        sharing.start(now, fresh)
        sharing.next_finish()
        starts.append(time.process_time() - begun)
    return {"event_s": statistics.median(events + starts), "batch_s": statistics.median(starts)}
