"""gloo's collectives as plans."""

from __future__ import annotations

import math
from collections.abc import Callable

from network_models.fabric import Floats
from network_models.profiles.plan import Post

SEGMENT_BYTES = 1 << 20
Merged = Callable[[int], float]


def segments_per_rank(size_bytes: float, ranks: int) -> int:
    """max(ceil(n / 1 MiB), 2 w) segments in all, rounded up to a multiple of w."""
    return math.ceil(max(math.ceil(size_bytes / SEGMENT_BYTES), 2 * ranks) / ranks)


def all_reduce(sizes_bytes: Floats, merged: Merged) -> list[Post]:
    """Ring reduce-scatter and all-gather towards the rank before; two segments in flight in each half."""
    ranks = len(sizes_bytes)
    scatter, each = _reduce_scatter(sizes_bytes, merged)
    gather = _ring(ranks, -1, each * (ranks - 1), lambda rank, step: merged(ranks) / (ranks * each), False)
    return _then(scatter, gather, ranks)


def reduce(sizes_bytes: Floats, merged: Merged) -> list[Post]:
    """Ring reduce-scatter, and then every rank's part to rank 0, which posts those receives only then."""
    ranks = len(sizes_bytes)
    scatter, _ = _reduce_scatter(sizes_bytes, merged)
    parts = [Post(rank, 0, merged(ranks) / ranks, reducing=True) for rank in range(1, ranks)]
    return _then(scatter, parts, ranks)


def all_gather(sizes_bytes: Floats) -> list[Post]:
    """Ring towards the next rank, every block in two halves: in steps 2s and 2s + 1 rank r sends that of r - s."""
    ranks, sizes = len(sizes_bytes), sizes_bytes.tolist()
    return _ring(ranks, 1, 2 * (ranks - 1), lambda rank, step: sizes[(rank - step // 2) % ranks] / 2, False)


def broadcast(ranks: int, size_bytes: float) -> list[Post]:
    """Binomial tree from rank 0: in level l every rank below 2^l that has the message sends it to rank + 2^l."""
    posts: list[Post] = []
    received: dict[int, tuple[int, ...]] = {0: ()}
    reach = 1
    while reach < ranks:
        for rank in range(min(reach, ranks - reach)):
            received[rank + reach] = (len(posts),)
            posts.append(Post(rank, rank + reach, size_bytes, after=received[rank]))
        reach *= 2
    return posts


def all_to_all(sizes_bytes: Floats) -> list[Post]:
    """Everybody to everybody else; rank r begins with rank r + 1."""
    ranks, sizes = len(sizes_bytes), sizes_bytes.tolist()
    pairs = [(rank, (rank + shift) % ranks) for shift in range(1, ranks) for rank in range(ranks)]
    return [Post(source, destination, sizes[source][destination]) for source, destination in pairs]


def direct(root: int, sizes_bytes: Floats, outward: bool) -> list[Post]:
    """One message between `root` and every rank."""
    ends = [(rank, size) for rank, size in enumerate(sizes_bytes.tolist()) if rank != root]
    return [Post(root, rank, size) if outward else Post(rank, root, size, reducing=True) for rank, size in ends]


def _reduce_scatter(sizes_bytes: Floats, merged: Merged) -> tuple[list[Post], int]:
    ranks, sizes = len(sizes_bytes), sizes_bytes.tolist()
    each = segments_per_rank(max(sizes), ranks)
    whole = [0.0, 0.0, *(merged(count) for count in range(2, ranks))]

    def size(rank: int, step: int) -> float:
        count = step // each + 1
        return (sizes[rank] if count == 1 else whole[count]) / (ranks * each)

    return _ring(ranks, -1, each * (ranks - 1), size, True), each


def _ring(ranks: int, shift: int, steps: int, size: Callable[[int, int], float], reducing: bool) -> list[Post]:
    """In every step each rank sends to rank + shift, when it is through with what it did two steps ago."""
    posts = []
    for step in range(steps):
        for rank in range(ranks):
            following = (rank + shift) % ranks
            before, after, posted = (step - 2) * ranks, tuple[int, ...](), tuple[int, ...]()
            if step >= 2:
                after = (before + (rank - shift) % ranks, before + rank)
                posted = (before + rank, before + following)
            posts.append(Post(rank, following, size(rank, step), after, posted, reducing))
    return posts


def _then(first: list[Post], second: list[Post], ranks: int) -> list[Post]:
    """Let each rank begin the second part when it is through with the last two steps of the first."""
    base = len(first)
    last = range(max(base - 2 * ranks, 0), base)
    mine: list[list[int]] = [[] for _ in range(ranks)]
    for number in last:
        mine[first[number].source].append(number)
        mine[first[number].destination].append(number)
    joined = list(first)
    for post in second:
        after = tuple(base + number for number in post.after) or tuple(mine[post.source])
        posted = tuple(base + number for number in post.posted_after) or tuple(mine[post.destination])
        joined.append(Post(post.source, post.destination, post.size_bytes, after, posted, post.reducing))
    return joined
