"""Many messages that begin at known times, on links whose capacity changes: when each arrives.

Where nobody hinders anybody, as when a hundred phones upload into a data centre, each integrates its own trace, all at
once. Otherwise the flows are played, an event for each change on a link that they share.
"""

from __future__ import annotations

import numpy as np

from network_models.conditions.alone import Ways
from network_models.conditions.steps import Floats
from network_models.conditions.varying import Stranded, integrated
from network_models.fabric import Integers
from network_models.paths import Paths, hot_resources, never_finishes
from network_models.sharing import Clusters, Flow


def arrivals(paths: Paths, source: Integers, destination: Integers, begin_s: Floats, bits: Floats) -> Floats:
    """Find when the last bit of each message arrives.

    Parameters
    ----------
    paths : Paths
    source, destination : ndarray of int, shape (m,)
        Nodes.
    begin_s : ndarray, shape (m,)
        When each one's first bit flows.
    bits : ndarray, shape (m,)
        On the wire.

    Returns
    -------
    ndarray, shape (m,)

    Raises
    ------
    ValueError
        If one can never finish, naming its route.
    """
    ends = list(zip(source.tolist(), destination.tolist(), strict=True))
    flows = [
        Flow(number, paths.fabric.route(*pair), float(size), float(paths.ceiling_bps(*pair)))
        for number, (pair, size) in enumerate(zip(ends, bits, strict=True))
    ]
    ways = Ways(paths.capacity_bps, paths.rates)
    taken = [ways.along(flow.route, flow.cap_bps) for flow in flows]
    alone = ways.finish(taken, begin_s, bits)
    for late in np.flatnonzero(np.isinf(alone)):
        raise ValueError(never_finishes(paths, *ends[late], float(begin_s[late])))
    users: dict[int, list[int]] = {}
    for flow in flows:
        for link in flow.route:
            users.setdefault(link, []).append(flow.sequence)
    for link, those in users.items():
        if len(those) > 1 and (link in paths.rates or not _fits(paths, link, those, ways, flows, begin_s, alone)):
            return _played(paths, ends, flows, begin_s)
    return alone


def _fits(paths: Paths, link: int, those: list[int], ways: Ways, flows: list[Flow], begin: Floats, end: Floats) -> bool:
    """Whether the rates that these flows reach alone never add up to more than the link's constant capacity."""
    taken, capacity = [ways.along(flows[at].route, flows[at].cap_bps) for at in those], paths.capacity_bps[link]
    if sum(way.peak_bps for way in taken) <= capacity:
        return True
    times, steps = [], []
    for at, way in zip(those, taken, strict=True):
        if end[at] > begin[at]:
            edges, rates = way.walked(float(begin[at]), float(end[at]))
            times.append(edges)
            steps.append(np.diff(rates, prepend=0.0, append=0.0))
    if not times:
        return True
    when, change = np.concatenate(times), np.concatenate(steps)
    total = np.cumsum(change[np.lexsort((change, when))])  # where times coincide, what ends before what begins
    return bool(total.max() <= capacity * (1 + 1e-12))


def _played(paths: Paths, ends: list[tuple[int, int]], flows: list[Flow], begin: Floats) -> Floats:
    """Play the flows from event to event."""
    capacity = paths.capacity_bps.tolist()
    sharing = integrated(Clusters(capacity, hot_resources(paths)), capacity, paths.rates)
    finish, waiting = begin.copy(), [flows[at] for at in np.argsort(begin, kind="stable")[::-1].tolist()]
    while waiting or sharing.next_finish() < np.inf:
        now = min(begin[waiting[-1].sequence] if waiting else np.inf, sharing.next_finish())
        try:
            for flow in sharing.finish(float(now)):
                finish[flow.sequence] = now
            starting = []
            while waiting and begin[waiting[-1].sequence] == now:
                flow = waiting.pop()
                if flow.bits and not flow.route:
                    finish[flow.sequence] = now + flow.bits / flow.cap_bps
                elif flow.bits:
                    starting.append(flow)
            sharing.start(float(now), starting)
        except Stranded as stranded:
            raise ValueError(never_finishes(paths, *ends[stranded.flow.sequence], float(now))) from None
    return finish
