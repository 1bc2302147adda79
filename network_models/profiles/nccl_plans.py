"""NCCL's collectives as plans."""

from __future__ import annotations

import math
from collections.abc import Callable

from network_models.fabric import Floats
from network_models.profiles.gloo_plans import all_to_all
from network_models.profiles.plan import Post

__all__ = ["all_gather", "all_reduce_ring", "all_reduce_tree", "all_to_all", "double_tree", "pieces", "reduce_scatter"]

PIECE_BYTES = 512 * 1024  # a buffer of 4 MiB in 8 slots
MOST_PIECES = 32  # finer than that changes times by less than 1/32 and costs more to play
Merged = Callable[[int], float]


def pieces(size_bytes: float) -> int:
    """Into how many pieces each of the two trees cuts its half."""
    return max(1, min(MOST_PIECES, math.ceil(size_bytes / 2 / PIECE_BYTES)))


def all_reduce_ring(sizes_bytes: Floats, merged: Merged) -> list[Post]:
    """2 (w - 1) steps of n / w; a rank sends on what it has just received."""
    ranks = len(sizes_bytes)
    first = reduce_scatter(sizes_bytes, merged)
    whole = merged(ranks) / ranks if ranks > 1 else 0.0
    return first + _ring(ranks, ranks - 1, lambda rank, step: whole, False, len(first))


def reduce_scatter(sizes_bytes: Floats, merged: Merged) -> list[Post]:
    """w - 1 steps of n / w."""
    ranks, sizes = len(sizes_bytes), sizes_bytes.tolist()
    whole = [0.0, *(merged(count) for count in range(2, ranks))]

    def size(rank: int, step: int) -> float:
        return (whole[step] if step else sizes[rank]) / ranks

    return _ring(ranks, ranks - 1, size, True, 0)


def all_gather(sizes_bytes: Floats) -> list[Post]:
    """w - 1 steps: in step s rank r sends what rank r - s began with."""
    ranks, sizes = len(sizes_bytes), sizes_bytes.tolist()
    return _ring(ranks, ranks - 1, lambda rank, step: sizes[(rank - step) % ranks], False, 0)


def all_reduce_tree(sizes_bytes: Floats, merged: Merged) -> list[Post]:
    """Up and down two trees at once, each with half of the payload, piece by piece.

    A rank passes a piece up when its children's have come, and down when its parent's has.
    """
    ranks = len(sizes_bytes)
    if ranks == 1:
        return []
    cut = pieces(max(float(sizes_bytes.max()), merged(ranks)))
    posts: list[Post] = []
    for parents in double_tree(ranks):
        children: list[list[int]] = [[] for _ in range(ranks)]
        for rank, parent in enumerate(parents):
            if parent >= 0:
                children[parent].append(rank)
        order = _downwards(parents, children)
        below = [1] * ranks
        for rank in reversed(order[1:]):
            below[parents[rank]] += below[rank]
        for _ in range(cut):
            came: dict[int, int] = {}
            for rank in reversed(order[1:]):
                size = float(sizes_bytes[rank]) if below[rank] == 1 else merged(below[rank])
                after = tuple(came[child] for child in children[rank])
                came[rank] = len(posts)
                posts.append(Post(rank, parents[rank], size / 2 / cut, after, reducing=True))
            root = order[0]
            whole = tuple(came[child] for child in children[root])
            got = {root: whole}
            for rank in order[1:]:
                parent = parents[rank]
                posts.append(Post(parent, rank, merged(ranks) / 2 / cut, got[parent]))
                got[rank] = (len(posts) - 1,)
    return posts


def double_tree(ranks: int) -> tuple[list[int], list[int]]:
    """The parent of each rank (-1 for a root) in two trees: what is a leaf in one is inside the other.

    The first joins ranks by their lowest set bit; the second is its mirror image, or for an odd number of ranks the
    same one rank further.
    """
    first = [_parent(rank, ranks) for rank in range(ranks)]
    if ranks % 2:
        second = [_shifted(first[(rank - 1) % ranks], 1, ranks) for rank in range(ranks)]
    else:
        second = [ranks - 1 - parent if (parent := first[ranks - 1 - rank]) >= 0 else -1 for rank in range(ranks)]
    return first, second


def _parent(rank: int, ranks: int) -> int:
    if rank == 0:
        return -1
    bit = rank & -rank
    up = (rank ^ bit) | (bit << 1)
    return up if up < ranks else rank ^ bit


def _shifted(parent: int, by: int, ranks: int) -> int:
    return (parent + by) % ranks if parent >= 0 else -1


def _downwards(parents: list[int], children: list[list[int]]) -> list[int]:
    """The ranks, each after its parent."""
    order = [parents.index(-1)]
    for rank in order:  # grows while it is read
        order += children[rank]
    return order


def _ring(ranks: int, steps: int, size: Callable[[int, int], float], reducing: bool, base: int) -> list[Post]:
    """In every step each rank sends to the next, once it has the last step's message (`base`: posts before these)."""
    posts = []
    for step in range(steps):
        for rank in range(ranks):
            earlier = base + (step - 1) * ranks + (rank - 1) % ranks
            posts.append(
                Post(rank, (rank + 1) % ranks, size(rank, step), (earlier,) if earlier >= 0 else (), reducing=reducing)
            )
    return posts
