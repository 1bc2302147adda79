"""Where the ranks' time went, from when each message was handed over and when it arrived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

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


def account(start: Floats, posts: Sequence[Ends], handed: Floats, arrived: Floats, latency: Floats) -> Timing:
    """Bill each rank the union of the times in which a message of its own was under way; the rest is waiting.

    A rank is released when its last message has arrived, or left: one latency earlier. Where messages overlap, the
    first to have begun is billed; propagation is the union of the messages' first `latency` seconds.
    """
    ranks = len(start)
    left = np.maximum(arrived - latency, handed)
    mine: list[list[tuple[float, float, float, bool]]] = [[] for _ in range(ranks)]
    finish = start.copy()
    rows = zip(posts, handed.tolist(), arrived.tolist(), left.tolist(), latency.tolist(), strict=True)
    for post, begun, there, gone, delay in rows:
        for rank, end in ((post.source, gone), (post.destination, there)):
            if rank >= 0:
                mine[rank].append((begun, end, min(begun + delay, end), post.reducing))
                finish[rank] = max(finish[rank], end)
    uplink, downlink, propagation = np.zeros((3, ranks))
    for rank, intervals in enumerate(mine):
        reached = passed = float(start[rank])  # what moved before is none of its time
        for begun, end, propagated, reducing in sorted(intervals):
            busy = max(end - max(begun, reached), 0.0)
            (uplink if reducing else downlink)[rank] += busy
            propagation[rank] += max(propagated - max(begun, passed), 0.0)
            reached, passed = max(reached, end), max(passed, propagated)
    return Timing.between(start, finish, uplink, downlink, propagation)
