"""NCCL's collectives as rings and plans; receivers own buffers, so nothing waits for a note."""

from __future__ import annotations

import math

from network_models.profiles.plan import Post
from network_models.profiles.rings import Phase, Ring
from network_models.schedules.call import Call

PIECE_BYTES = 512 * 1024  # a buffer of 4 MiB in 8 slots
MOST_PIECES = 32  # finer than that changes times by less than 1/32 and costs more to play


def pieces(size_bytes: float) -> int:
    """Into how many pieces a pipeline cuts so many bytes."""
    return max(1, min(MOST_PIECES, math.ceil(size_bytes / PIECE_BYTES)))


def all_reduce_ring(call: Call) -> Ring:
    """2 (w - 1) steps of n / w; a rank sends on what it has just received."""
    ranks, whole = call.ranks, call.result / call.ranks
    return Ring(ranks, 1, 1, False, call.alike, (_reducing(call), Phase(ranks - 1, lambda step: whole)))


def reduce_scatter(call: Call) -> Ring:
    """w - 1 steps of n / w."""
    return Ring(call.ranks, 1, 1, False, call.alike, (_reducing(call),))


def all_gather(call: Call) -> Ring:
    """w - 1 steps: in step s rank r sends what rank r - s began with."""
    own, ranks = call.own, call.ranks
    if isinstance(own, float):
        phase = Phase(ranks - 1, lambda step: own)
    else:
        rotated = [own[[(rank - step) % ranks for rank in range(ranks)]] for step in range(ranks - 1)]
        phase = Phase(ranks - 1, lambda step: rotated[step])
    return Ring(ranks, 1, 1, False, call.alike, (phase,))


def broadcast(call: Call) -> list[Post]:
    """From the root round the ranks, piece by piece."""
    nodes = _round(call)
    return _chain(nodes, [call.largest] * len(nodes), reducing=False)


def reduce(call: Call) -> list[Post]:
    """Round the ranks to the root, piece by piece, each adding its own."""
    sizes = call.sizes_bytes
    nodes = list(reversed(_round(call)))
    return _chain(nodes, [float(sizes[nodes[0]]), *(call.merged(count) for count in range(2, len(nodes)))], True)


def _reducing(call: Call) -> Phase:
    own, ranks = call.own / call.ranks, call.ranks
    merged = [0.0, *(call.merged(count) / ranks for count in range(2, ranks))]
    return Phase(ranks - 1, lambda step: merged[step] if step else own, reducing=True)


def _round(call: Call) -> list[int]:
    """The root, and the ranks after it; those before it last."""
    if call.root < 0:
        return [call.root, *range(call.ranks)]
    return [(call.root + rank) % call.ranks for rank in range(call.ranks)]


def _chain(nodes: list[int], sizes: list[float], reducing: bool) -> list[Post]:
    """Pieces from each node to the next, the i-th hop of `sizes[i]` bytes in all."""
    posts: list[Post] = []
    cut = pieces(max(sizes))
    for _ in range(cut):
        for hop, (source, destination) in enumerate(zip(nodes, nodes[1:], strict=False)):
            after = (len(posts) - 1,) if hop else ()
            posts.append(Post(source, destination, sizes[hop] / cut, after, reducing=reducing))
    return posts


def all_reduce_tree(call: Call) -> list[Post]:
    """Up and down two trees at once, each with half of the payload, piece by piece.

    A rank passes a piece up when its children's have come, and down when its parent's has.
    """
    ranks, sizes_bytes, merged = call.ranks, call.sizes_bytes, call.merged
    cut = pieces(max(call.largest, call.result) / 2)
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
