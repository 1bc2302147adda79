"""Plans that every library has: messages straight between those that want them."""

from __future__ import annotations

from network_models.fabric import SERVER, Floats
from network_models.profiles.plan import Post
from network_models.schedules.call import Call


def gather(call: Call) -> list[Post]:
    """Every rank's payload to the root."""
    return _with(call.root, call.sizes_bytes, outward=False)


def scatter(call: Call) -> list[Post]:
    """Every rank's payload from the root."""
    return _with(call.root, call.sizes_bytes, outward=True)


def all_to_all(call: Call) -> list[Post]:
    """Everybody's payload to everybody else; rank r begins with rank r + 1."""
    ranks, sizes = call.ranks, call.sizes_bytes.tolist()
    pairs = [(rank, (rank + shift) % ranks) for shift in range(1, ranks) for rank in range(ranks)]
    return [Post(source, destination, sizes[source]) for source, destination in pairs]


def neighbours(call: Call) -> list[Post]:
    """Everybody's payload along its edges."""
    sizes, edges = call.sizes_bytes.tolist(), () if call.edges is None else (end.tolist() for end in call.edges)
    return [Post(source, destination, sizes[source]) for source, destination in zip(*edges, strict=True)]


def with_servers(sizes_bytes: Floats, servers: int, outward: bool) -> list[Post]:
    """A part of every rank's message from, or to, each server."""
    parts = sizes_bytes / servers
    return [post for number in range(servers) for post in _with(SERVER - number, parts, outward)]


def _with(root: int, sizes_bytes: Floats, outward: bool) -> list[Post]:
    ends = [(rank, size) for rank, size in enumerate(sizes_bytes.tolist()) if rank != root]
    return [Post(root, rank, size) if outward else Post(rank, root, size, reducing=True) for rank, size in ends]
