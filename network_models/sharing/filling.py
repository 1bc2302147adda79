"""Progressive filling in rounds of whole vectors: max-min fair rates of many groups of flows at once.

A resource is *tight* when none of its flows would get less elsewhere: its share of what is free is then final for all
of them, whether or not it is the least share of all. So each round fixes the flows of every tight resource, and those
whose own cap is no more than any share on their way; most sets of flows need a dozen rounds where filling one by one
takes hundreds of steps.

G groups of alike flows, K resources on the longest route, R resources. A routes matrix has shape (G, K) and is filled
up with `NOWHERE`, a resource without a limit.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from network_models.fabric import Floats, Integers
from network_models.sharing.maxmin import fair_rates

NOWHERE = 0
_ONE_BY_ONE = 1000  # groups; below, the heap of `fair_rates` is as fast
_SLACK = 1e-9  # rounding: a link with less than this share free counts as full, which costs time but no accuracy
_ROUNDS = 60  # a chain of bottlenecks could take as many rounds as it has links


def fill(routes: Integers, counts: Floats, caps: Floats, free: Floats, one_by_one: int = _ONE_BY_ONE) -> Floats:
    """Solve for the max-min fair rate of one flow of each group.

    Parameters
    ----------
    routes : ndarray of int, shape (G, K)
        Resources of each group's flows.
    counts : ndarray, shape (G,)
        Flows of each group, at least 1.
    caps : ndarray, shape (G,)
        What each flow may not exceed, perhaps infinite where its route has a resource.
    free : ndarray, shape (R,)
        Bits/s of each resource, finite but for that of `NOWHERE`.
    one_by_one : int
        From how many groups on rounds are worth their overhead.

    Returns
    -------
    ndarray, shape (G,)

    Notes
    -----
    Exact: fixing flows at a share takes nothing from the share of any other resource, so a share that is the least on a
    flow's way stays what that flow gets.

    References
    ----------
    Bertsekas, Gallager, "Data Networks", 2nd ed., 1992, section 6.5.2.
    """
    width, resources = routes.shape[1], len(free)
    rates, left = np.empty(len(routes)), np.arange(len(routes))
    tight, free, rounds = np.empty(resources, dtype=bool), free.copy(), 0
    while len(left) >= one_by_one and rounds < _ROUNDS:
        flows = np.bincount(routes.ravel(), np.repeat(counts, width), resources)
        shares = np.divide(np.maximum(free, 0.0), flows, out=np.full(resources, np.inf), where=flows > 0)
        shares[NOWHERE] = np.inf
        offered = shares[routes]
        rate = np.minimum(offered.min(axis=1), caps)
        tight.fill(True)
        tight[routes[offered > rate[:, None]]] = False
        tight[NOWHERE] = False
        fixed = tight[routes].any(axis=1) | (rate == caps)
        rates[left[fixed]] = rate[fixed]
        free -= np.bincount(routes[fixed].ravel(), np.repeat(rate[fixed] * counts[fixed], width), resources)
        going = ~fixed
        left, routes, counts, caps = left[going], routes[going], counts[going], caps[going]
        rounds += 1
    if len(left):
        rates[left] = fair_rates(routes.tolist(), np.maximum(free, 0.0).tolist(), caps.tolist(), counts.tolist())
    return rates


def water_level(rates: Floats, counts: Floats, capacity_bps: float) -> float:
    """The level at which flows that stop rising at these rates fill a link, infinite when they never do."""
    order = np.argsort(rates)
    ordered, weight = rates[order], counts[order]
    rising = np.cumsum(weight[::-1])[::-1]  # flows still rising while those before have stopped
    stopped = np.concatenate(((0.0,), np.cumsum(ordered[:-1] * weight[:-1])))
    levels = (capacity_bps - stopped) / rising
    full = np.flatnonzero(levels <= ordered)
    return float(levels[full[0]]) if len(full) else np.inf


def unchanged_below(
    routes: Integers,
    counts: Floats,
    before: Floats,
    rates: Floats,
    limits: Floats,
    changed: Mapping[int, tuple[float, float]],
) -> float:
    """The level up to which filling runs as it did before some links changed: none of them was full below it, or is.

    Parameters
    ----------
    routes, counts
        As for `fill`, now.
    before : ndarray, shape (G,)
        Flows of each group before the change.
    rates : ndarray, shape (G,)
        Rates before the change; of a new group, its cap.
    limits : ndarray, shape (R,)
        Bits/s of each resource, now.
    changed : mapping of int to (float, float)
        Resource to its bits/s before the change, and to the load on it that is not in `rates` and `before` any more.
    """
    lowest = np.inf
    for link, (capacity, gone) in changed.items():
        on = np.flatnonzero((routes == link).any(axis=1))
        if not len(on):
            continue
        lowest = min(lowest, water_level(rates[on], counts[on], float(limits[link])))
        old = on[before[on] > 0.0]
        if gone + float(rates[old] @ before[old]) >= capacity * (1.0 - _SLACK):
            lowest = min(lowest, float(rates[old].max(initial=0.0)))
    return lowest * (1.0 - _SLACK)


def reached(
    routes: Integers, seeds: Integers, resources: int, within: npt.NDArray[np.bool_] | None = None, rounds: int = 16
) -> npt.NDArray[np.bool_]:
    """Which groups are connected with the resources `seeds` by routes of groups, all of them or those `within`.

    Returns
    -------
    ndarray of bool, shape (G,)
        All (`within`) when some `rounds` of spreading do not settle it.
    """
    links = np.zeros(resources, dtype=bool)
    links[seeds] = True
    links[NOWHERE] = False
    allowed = np.ones(len(routes), dtype=bool) if within is None else within
    before = -1
    for _ in range(rounds):
        groups = links[routes].any(axis=1) & allowed
        if (now := int(groups.sum())) == before:
            return groups
        before = now
        links[routes[groups]] = True
        links[NOWHERE] = False
    return allowed
