"""When flows that share one hot link end: the cheapest exact answer, from closed form to water filling."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

from network_models.links import Floats, Integers
from network_models.sharing.hot_link import HotLink


def drained(arrival: Floats, bits: Floats, cap_bps: Floats, capacity_bps: float) -> Floats:
    """Find the time at which each flow's last bit leaves a link shared max-min fairly.

    Parameters
    ----------
    arrival : ndarray, shape (w,)
        Absolute seconds at which each flow starts to flow.
    bits : ndarray, shape (w,)
        What each has to send.
    cap_bps : ndarray, shape (w,)
        Rate that each may not exceed whatever is free, positive, perhaps infinite.
    capacity_bps : float
        Rate of the shared link, positive, perhaps infinite.

    Returns
    -------
    ndarray, shape (w,)

    Notes
    -----
    Flows of one size that arrive together: those at the water level end together, and what that frees is of no use to
    the others, so arrival + bits / min(cap, level). Caps that always fit: arrival + bits / cap. Otherwise one event for
    each arrival and each end, flows that are identical counting as one.
    """
    caps = np.minimum(cap_bps, capacity_bps)
    alone = arrival + bits / caps
    if np.isinf(capacity_bps):
        return alone
    if (arrival == arrival[0]).all() and (bits == bits[0]).all():
        return arrival + bits / np.minimum(caps, _level(caps, capacity_bps))
    if float(caps.sum()) <= capacity_bps or _peak(arrival, alone, caps) <= capacity_bps:
        return alone
    first, group, counts = _groups(arrival, bits, caps)
    flows = (arrival[first].tolist(), bits[first].tolist(), caps[first].tolist(), counts.tolist())
    return np.array(_filled(*flows, capacity_bps))[group]


def _level(caps: Floats, capacity_bps: float) -> float:
    """The water level of flows that are all there: sum of min(cap, level) = capacity, or infinite when all caps fit."""
    if (caps == caps[0]).all():
        return capacity_bps / len(caps)
    ordered = np.sort(caps)
    below = np.concatenate(((0.0,), np.cumsum(ordered)[:-1]))
    levels = (capacity_bps - below) / np.arange(len(caps), 0, -1)
    bound = np.flatnonzero(ordered >= levels)
    return float(levels[bound[0]]) if len(bound) else np.inf


def _peak(arrival: Floats, finish: Floats, rate: Floats) -> float:
    """The largest total rate at any moment, ends before starts where they coincide."""
    times = np.concatenate((finish, arrival))
    change = np.concatenate((-rate, rate))
    return float(np.cumsum(change[np.argsort(times, kind="stable")]).max())


def _filled(
    arrival: list[float], bits: list[float], caps: list[float], counts: list[int], capacity_bps: float
) -> list[float]:
    """Ends of groups of flows in order of arrival: `HotLink` until the last has come, and then `_emptied`."""
    finish = [0.0] * len(arrival)
    link, key, last = HotLink(capacity_bps), 0, arrival[-1]
    while (now := arrival[key]) < last or link.next_finish() < last:
        if now < (next_finish := link.next_finish()):
            while arrival[key] == now:
                link.add(now, key, bits[key], caps[key], counts[key])
                key += 1
        else:
            for ended in link.pop():
                finish[ended] = next_finish
    left = {**link.drain(last), **{group: bits[group] for group in range(key, len(bits))}}
    rest, their_caps, their_counts = (
        list(left.values()),
        [caps[group] for group in left],
        [counts[group] for group in left],
    )
    for group, end in zip(left, _emptied(last, rest, their_caps, their_counts, capacity_bps), strict=True):
        finish[group] = end
    return finish


def _emptied(now: float, bits: list[float], caps: list[float], counts: list[int], capacity_bps: float) -> list[float]:
    """Ends of groups of flows that are all there at `now`: the level only rises, so two sorted lists replace the heaps.

    A flow whose cap the level has passed runs at its cap from then on, which settles its end.
    """
    by_bits, by_cap = np.argsort(bits, kind="stable").tolist(), np.argsort(caps, kind="stable").tolist()
    finish, settled, claims = [0.0] * len(bits), [False] * len(bits), list[tuple[float, int]]()
    sharing, claimed, work, least, lowest = sum(counts), 0.0, 0.0, 0, 0
    while sharing:
        level = (capacity_bps - claimed) / sharing
        while sharing and caps[flow := by_cap[lowest]] < level:
            lowest += 1
            if not settled[flow]:
                settled[flow], finish[flow] = True, now + (bits[flow] - work) / caps[flow]
                heappush(claims, (finish[flow], flow))
                sharing, claimed = sharing - counts[flow], claimed + caps[flow] * counts[flow]
                level = (capacity_bps - claimed) / max(sharing, 1)
        if not sharing:
            break
        while settled[flow := by_bits[least]]:
            least += 1
        end = now + (bits[flow] - work) / level
        if claims and claims[0][0] < end:
            freed, flow = heappop(claims)
            work, now = work + (freed - now) * level, freed
            claimed = claimed - caps[flow] * counts[flow] if claims else 0.0
        else:
            settled[flow], finish[flow], now, work = True, end, end, bits[flow]
            sharing -= counts[flow]
    return finish


def _groups(arrival: Floats, bits: Floats, caps: Floats) -> tuple[Integers, Integers, Integers]:
    """Join identical flows, by arrival: a representative of each group, each flow's group, the groups' counts."""
    order = np.lexsort((caps, bits, arrival))
    different = np.ones(len(order), dtype=bool)
    different[1:] = False
    for of in (arrival, bits, caps):
        ordered = of[order]
        different[1:] |= ordered[1:] != ordered[:-1]
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.cumsum(different) - 1
    return order[different], group, np.bincount(group)
