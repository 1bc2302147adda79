"""When flows that share one hot link end, for many links at once."""

from __future__ import annotations

import numpy as np

from network_models.fabric import Floats
from network_models.sharing import draining


def drained(arrival: Floats, bits: Floats, cap_bps: Floats, capacity_bps: Floats) -> Floats:
    """Find the ends of w flows on each of B links shared max-min fairly; see `sharing.draining.drained`.

    Parameters
    ----------
    arrival : ndarray, shape (w, B)
        Absolute seconds at which each flow starts to flow.
    bits : ndarray, shape (w, B) or (w, 1)
        What each has to send.
    cap_bps : ndarray, shape (w, B)
        Rate that each may not exceed, positive, perhaps infinite.
    capacity_bps : ndarray, shape (B,)
        Rate of each link, positive, perhaps infinite.

    Returns
    -------
    ndarray, shape (w, B)

    Notes
    -----
    Links that could carry all caps at once, or of which flows with one cap begin together, take a formula; flows with
    one cap are followed from event to event on all links at once; links of other flows are drained one by one.
    """
    caps, bits = np.minimum(cap_bps, capacity_bps), np.broadcast_to(bits, arrival.shape)
    finish = arrival + bits / caps
    crowded = np.isfinite(capacity_bps) & (caps.sum(axis=0) > capacity_bps)
    if not crowded.any():
        return finish
    one_cap = crowded & (caps == caps[0]).all(axis=0)
    together = one_cap & (arrival == arrival[0]).all(axis=0)
    for chosen, ends in ((together, _together), (one_cap & ~together, _one_cap)):
        if chosen.any():
            finish[:, chosen] = ends(arrival[:, chosen], bits[:, chosen], caps[0, chosen], capacity_bps[chosen])
    for column in np.flatnonzero(crowded & ~one_cap).tolist():
        of = arrival[:, column], bits[:, column], cap_bps[:, column]
        finish[:, column] = draining.drained(*of, float(capacity_bps[column]))
    return finish


def _together(arrival: Floats, bits: Floats, cap_bps: Floats, capacity_bps: Floats) -> Floats:
    """Ends of flows with one cap that begin together, shapes (w, B), (w, B), (B,), (B,).

    Those of one size end together. Others in order of size: while k are left each runs at min(cap, capacity / k), so
    that the j-th ends bits_j - bits_(j-1) at that rate after the one before it.
    """
    flows = len(bits)
    if (bits == bits[0]).all():
        return np.asarray(arrival + bits / np.minimum(cap_bps, capacity_bps / flows))
    order = np.argsort(bits, axis=0, kind="stable")
    ordered = np.take_along_axis(bits, order, axis=0)
    left = np.arange(flows, 0, -1)[:, None]
    rate = np.minimum(cap_bps, capacity_bps / left)
    ends = np.cumsum(np.diff(ordered, axis=0, prepend=0.0) / rate, axis=0)
    finish = np.empty_like(ends)
    np.put_along_axis(finish, order, arrival[0] + ends, axis=0)
    return finish


def _one_cap(arrival: Floats, bits: Floats, cap_bps: Floats, capacity_bps: Floats) -> Floats:
    """Ends of flows with one cap, shapes (w, B), (w, B), (B,), (B,).

    All that are there run at min(cap, capacity / their number), so what each has received differs only by when it came:
    a flow ends when the work done for anyone since the beginning has grown by its bits. Each turn takes every link to
    its next arrival or end.
    """
    flows, links = arrival.shape
    order = np.argsort(arrival, axis=0, kind="stable")
    arrives = np.vstack((np.take_along_axis(arrival, order, axis=0), np.full((1, links), np.inf)))
    ordered = np.take_along_axis(bits, order, axis=0)
    rates = np.minimum(cap_bps, capacity_bps / np.maximum(np.arange(flows + 1), 1)[:, None])
    due, ends = np.full((flows, links), np.inf), np.empty((flows, links))  # as work, and as a time
    column, came, there = np.arange(links), np.zeros(links, dtype=np.int64), np.zeros(links, dtype=np.int64)
    now, work = arrives[0].copy(), np.zeros(links)
    for _ in range(2 * flows):
        first = due.argmin(axis=0)
        least, comes, rate = due[first, column], arrives[came, column], rates[there, column]
        ends_at = now + (least - work) / rate
        arriving = comes < ends_at
        work = np.where(arriving, work + (comes - now) * rate, least)
        now = np.where(arriving, comes, ends_at)
        here = np.flatnonzero(arriving)
        due[came[here], here] = work[here] + ordered[came[here], here]
        gone = np.flatnonzero(~arriving)
        ends[first[gone], gone], due[first[gone], gone] = now[gone], np.inf
        came += arriving
        there += np.where(arriving, 1, -1)
    finish = np.empty_like(ends)
    np.put_along_axis(finish, order, ends, axis=0)
    return finish
