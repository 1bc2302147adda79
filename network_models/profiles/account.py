"""Where the ranks' time went, from when each message was handed over and when it arrived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from network_models.fabric import Floats
from network_models.timing import Timing


class Ends(Protocol):
    """What must be known of a message."""

    @property
    def source(self) -> int: ...
    @property
    def destination(self) -> int: ...
    @property
    def reducing(self) -> bool: ...


def billed(start: Floats, begun: Floats, ended: Floats, propagated: Floats, reducing: npt.NDArray[np.bool_]) -> Timing:
    """Bill each rank the union of the times in which a message of its own was under way; the rest is waiting.

    A rank is released at the last end. Where messages overlap, the first to have begun is billed.

    Parameters
    ----------
    start : ndarray, shape (w,)
    begun, ended, propagated : ndarray, shape (m, w)
        Of the m messages of each rank: handed over; done with, as far as this rank goes; first bit there.
    reducing : ndarray of bool, shape (m,) or (m, w)
        Which count as uplink.
    """
    order = np.lexsort((ended, begun), axis=0)
    begun, ended, propagated = (np.take_along_axis(of, order, 0) for of in (begun, ended, propagated))
    uplink = np.take_along_axis(np.broadcast_to(reducing.reshape(len(reducing), -1), begun.shape), order, 0)
    busy, moving = _new(start, begun, ended), _new(start, begun, propagated)
    finish = np.maximum(start, ended.max(axis=0))
    return Timing.between(start, finish, (busy * uplink).sum(axis=0), (busy * ~uplink).sum(axis=0), moving.sum(axis=0))


def _new(start: Floats, begun: Floats, ended: Floats) -> Floats:
    """What each interval adds to the union of those before it and of all that was before `start`."""
    reached = np.maximum.accumulate(np.concatenate((start[None], ended[:-1])), axis=0)
    return np.maximum(ended - np.maximum(begun, reached), 0.0)


def account(start: Floats, posts: Sequence[Ends], handed: Floats, arrived: Floats, latency: Floats) -> Timing:
    """Bill the messages of a plan; each is done with where it arrives, and one latency earlier where it leaves."""
    ranks = len(start)
    mine: list[list[tuple[float, float, float, bool]]] = [[] for _ in range(ranks)]
    left = np.maximum(arrived - latency, handed)
    rows = zip(posts, handed.tolist(), arrived.tolist(), left.tolist(), latency.tolist(), strict=True)
    for post, begun, there, gone, delay in rows:
        for rank, end in ((post.source, gone), (post.destination, there)):
            if rank >= 0:
                mine[rank].append((begun, end, min(begun + delay, end), post.reducing))
    most = max(len(intervals) for intervals in mine)
    columns = np.empty((4, most, ranks))
    columns[:] = start  # a message of no time, where a rank has fewer
    for rank, intervals in enumerate(mine):
        if intervals:
            columns[:, : len(intervals), rank] = np.array(intervals).T
    begun, ended, propagated, reducing = columns
    return billed(start, begun, ended, propagated, reducing == 1.0)
