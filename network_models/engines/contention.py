"""Whether two messages of a program can ever be under way on one resource at once.

Ranks advance on their own, so messages of different steps may meet. They cannot where all messages over a resource
have one owner that handles them one after the other: the same source, which begins a step's message when it is
through with the step before; or the same destination, where each message waits for it (rendezvous). And no step may
send two messages over the resource, nor give a rank two messages to send or to receive.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from network_models.fabric import Fabric, Integers
from network_models.links import Links
from network_models.paths import Paths
from network_models.schedules.step import Program, Step

_ANYBODY, _NOBODY = np.iinfo(np.int64).min, np.iinfo(np.int64).min + 1


def incidence(fabric: Fabric, source: Integers, destination: Integers) -> tuple[Integers, Integers]:
    """Pairs (number of the message, resource that it uses) of messages between nodes, two arrays of one length."""
    if isinstance(fabric, Links):
        return _star_incidence(fabric, source, destination)
    routes = [fabric.route(*pair) for pair in zip(source.tolist(), destination.tolist(), strict=True)]
    lengths = np.array([len(route) for route in routes], dtype=np.int64)
    flat = np.array([resource for route in routes for resource in route], dtype=np.int64)
    return np.repeat(np.arange(len(routes)), lengths), flat


def _star_incidence(links: Links, source: Integers, destination: Integers) -> tuple[Integers, Integers]:
    """As `Links.route`, all at once."""
    nodes = len(links.up_bps)
    down_bps, down = links.down_bps[destination], nodes + destination % nodes
    if links.half_duplex is not None:
        shared = links.half_duplex[destination]
        down_bps = np.where(shared, links.up_bps[destination], down_bps)
        down = np.where(shared, destination % nodes, down)
    up = np.flatnonzero(links.up_bps[source] < np.inf)
    into = np.flatnonzero(down_bps < np.inf)
    return np.concatenate((up, into)), np.concatenate((source[up] % nodes, down[into]))


def contended(program: Program, paths: Paths, workers: Integers) -> bool:
    """Whether any two messages of the program may have to share a resource.

    Parameters
    ----------
    program : Program
    paths : Paths
    workers : ndarray of int, shape (w,)
        The node of each rank.

    Returns
    -------
    bool
        False only where they cannot, whatever the links, sizes and starts.
    """
    nodes = np.concatenate((workers, np.arange(-program.servers, 0))) if program.servers else workers
    owners = _Owners(len(paths.capacity_bps))
    seen: dict[tuple[int, int, bool], Step] = {}
    for step in program.steps:
        key = (id(step.source), id(step.destination), step.rendezvous)
        if key in seen and seen[key].source is step.source:
            continue
        seen[key] = step
        if step.lag > 1 and len(seen) > 1 or paths.transport.remembers and _one_connection(step, len(nodes)):
            return True
        if not (step.symmetric and step.each(program.ranks) == 1) and not (
            _once(step.source, len(nodes)) and _once(step.destination, len(nodes))
        ):
            return True
        if not owners.admit(paths.fabric, nodes, step):
            return True
    return False


def _one_connection(step: Step, nodes: int) -> bool:
    """Whether messages that begin at times of their own use one connection, of which the first opens it for all."""
    if step.rendezvous:
        return False
    low, high = (of(step.source % nodes, step.destination % nodes) for of in (np.minimum, np.maximum))
    return step.lag > 1 or len(np.unique(low * nodes + high)) < len(low)


def _once(ranks: Integers, nodes: int) -> bool:
    return bool(np.bincount(ranks % nodes, minlength=1).max(initial=0) <= 1)


class _Owners:
    """For each resource, up to two nodes that may be the owner of all messages so far."""

    def __init__(self, resources: int) -> None:
        self._first = np.full(resources, _ANYBODY)
        self._second = np.full(resources, _ANYBODY)

    def admit(self, fabric: Fabric, nodes: Integers, step: Step) -> bool:
        """Add a step's messages; False where they meet, or leave some resource without an owner."""
        source, destination = nodes[step.source], nodes[step.destination]
        message, resource = incidence(fabric, source, destination)
        if len(resource) and np.bincount(resource).max() > 1:
            return False
        here, there = source[message], destination[message]
        if step.lag > 1:
            return True  # one pattern only, so a resource has one channel
        new = self._first[resource] == _ANYBODY
        first = np.where(new, here, self._kept(self._first[resource], here, there, step.rendezvous))
        other = there if step.rendezvous else np.full_like(there, _NOBODY)
        second = np.where(new, other, self._kept(self._second[resource], here, there, step.rendezvous))
        self._first[resource], self._second[resource] = first, second
        return bool(((first != _NOBODY) | (second != _NOBODY)).all())

    @staticmethod
    def _kept(owner: Integers, here: Integers, there: Integers, rendezvous: bool) -> npt.NDArray[np.int64]:
        """The owner, where it still owns these messages too."""
        owns = owner == here
        if rendezvous:
            owns |= owner == there
        return np.where(owns, owner, _NOBODY)
