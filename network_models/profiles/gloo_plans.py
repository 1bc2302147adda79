"""gloo's collectives as rings and plans."""

from __future__ import annotations

import math

from network_models.profiles.plan import Post
from network_models.profiles.rings import Phase, Ring
from network_models.schedules.call import Call

SEGMENT_BYTES = 1 << 20


def segments_per_rank(size_bytes: float, ranks: int) -> int:
    """max(ceil(n / 1 MiB), 2 w) segments in all, rounded up to a multiple of w."""
    return math.ceil(max(math.ceil(size_bytes / SEGMENT_BYTES), 2 * ranks) / ranks)


def all_reduce(call: Call) -> Ring:
    """Ring reduce-scatter and all-gather towards the rank before; two segments in flight in each half."""
    return _towards_the_rank_before(call, gather=True)


def reduce_scatter(call: Call) -> Ring:
    """The first half of it."""
    return _towards_the_rank_before(call, gather=False)


def reduce(call: Call) -> list[Post]:
    """Ring reduce-scatter, and then every rank's part to the root, which posts those receives only then."""
    posts, ranks = reduce_scatter(call).posts(), call.ranks
    mine: list[list[int]] = [[] for _ in range(ranks)]
    for number in range(max(len(posts) - 2 * ranks, 0), len(posts)):
        mine[posts[number].source].append(number)
        mine[posts[number].destination].append(number)
    for rank in range(ranks):
        if rank != call.root:
            size = call.result / ranks
            posts.append(Post(rank, call.root, size, tuple(mine[rank]), tuple(mine[call.root]), reducing=True))
    return posts


def all_gather(call: Call) -> Ring:
    """Ring towards the next rank, every block in two halves: in steps 2s and 2s + 1 rank r sends that of r - s."""
    own, ranks = call.own, call.ranks
    if isinstance(own, float):
        half = own / 2
        phase = Phase(2 * (ranks - 1), lambda step: half)
    else:
        halves = own / 2
        rotated = [halves[[(rank - step) % ranks for rank in range(ranks)]] for step in range(ranks - 1)]
        phase = Phase(2 * (ranks - 1), lambda step: rotated[step // 2])
    return Ring(ranks, 1, 2, True, call.alike, (phase,))


def broadcast(call: Call) -> list[Post]:
    """Binomial tree from the root: in level l the first 2^l ranks that have the message send it 2^l places on.

    Whole messages; the sends of a rank share its uplink. A server that is the root comes before the ranks.
    """
    nodes = [call.root, *(rank for rank in range(call.ranks) if rank != call.root)]
    if call.root >= 0:
        nodes = [(rank + call.root) % call.ranks for rank in range(call.ranks)]
    posts: list[Post] = []
    received: dict[int, tuple[int, ...]] = {0: ()}
    reach = 1
    while reach < len(nodes):
        for place in range(min(reach, len(nodes) - reach)):
            received[place + reach] = (len(posts),)
            posts.append(Post(nodes[place], nodes[place + reach], call.largest, after=received[place]))
        reach *= 2
    return posts


def _towards_the_rank_before(call: Call, gather: bool) -> Ring:
    ranks = call.ranks
    each = segments_per_rank(call.largest, ranks)
    own, steps = call.own / (ranks * each), each * (ranks - 1)
    merged = [0.0, 0.0, *(call.merged(count) / (ranks * each) for count in range(2, ranks))]
    whole = call.result / (ranks * each)
    halves = (
        Phase(steps, lambda step: own if step < each else merged[step // each + 1], reducing=True),
        Phase(steps, lambda step: whole),
    )
    return Ring(ranks, -1, 2, True, call.alike, halves if gather else halves[:1])
