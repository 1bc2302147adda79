"""A ring of posted sends and receives as a max-plus recurrence: a step of all ranks at a time, alike ranks as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from network_models.fabric import Floats, Integers
from network_models.paths import Paths
from network_models.profiles.account import billed
from network_models.profiles.plan import Software
from network_models.timing import Timing, same

if TYPE_CHECKING:
    from network_models.profiles.rings import Ring


def recurrence(paths: Paths, workers: Integers, start: Floats, ring: Ring, software: Software) -> Timing:
    """Find when each message is handed over and arrives, where no two share a resource.

    Notes
    -----
    By rank r, which sends to q = r + shift and receives from p = r - shift, the entry e, handing over h and arrival a
    of step s are e[s, r] = max(a[s - depth, p], h[s - depth, r]), h[s, r] = max(e[s, r], e[s, q] + latency q to r) +
    software, a[s, r] = max(h[s, r] + latency r to q, a[s - 1, r]) + bits / rate; without rendezvous h = e + software.
    """
    one = ring.alike and paths.fabric.alike(workers) and same(start)
    here, there = workers, np.roll(workers, -ring.shift)
    if one:
        here, there, start = here[:1], there[:1], start[:1]  # rolling one rank round leaves it where it is
    latency, rate, back = paths.latency_s(here, there), paths.rate_bps(here, there), paths.latency_s(there, here)
    handed, arrived, reducing = list[Floats](), list[Floats](), list[bool]()
    floor, drained = start + software.call_s, np.full(len(here), -np.inf)
    for phase in ring.phases:
        first = len(handed)
        for step in range(phase.steps):
            entered = floor
            for before in ring.before(first, step):
                entered = np.maximum(np.maximum(entered, handed[before]), np.roll(arrived[before], ring.shift))
            if ring.rendezvous:
                entered = np.maximum(entered, np.roll(entered, -ring.shift) + back)
            handed.append(entered + software.message_s)
            drained = np.maximum(handed[-1] + latency, drained) + paths.bits(phase.size_bytes(step)) / rate
            arrived.append(drained)
            reducing.append(phase.reducing)
    if not handed:
        return Timing.nothing(start).widened(len(workers)) if one else Timing.nothing(start)
    begun, ended = np.array(handed), np.array(arrived)
    propagated, left = begun + latency, np.maximum(ended - latency, begun)
    sent, got = (begun, left, np.minimum(propagated, left)), (begun, ended, np.minimum(propagated, ended))
    begun, ended, propagated = (
        np.concatenate((mine, np.roll(others, ring.shift, axis=1))) for mine, others in zip(sent, got, strict=True)
    )
    timing = billed(start, begun, ended, propagated, np.array(2 * reducing))
    return timing.widened(len(workers)) if one else timing
