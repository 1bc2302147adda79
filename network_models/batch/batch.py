"""The collectives of many networks, the plain stars among them in one pass, the others one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from network_models.batch.stars import Stars, is_plain_star
from network_models.fabric import Floats, Integers
from network_models.network import Network
from network_models.schedules.call import Call, Merged
from network_models.schedules.registry import SCHEDULES
from network_models.timing import Timing

_TIMES = ("finish", "uplink", "downlink", "waiting", "latency", "queueing")
_FORMULAS = {"broadcast": "star", "all_reduce": "ring", "all_gather": "ring"}


class Batch:
    """B networks of n workers each, asked at once; every array of times has shape (w, B).

    Parameters
    ----------
    networks : sequence of Network
        All for one number of workers.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks = list(networks)
        for network in self.networks:
            network.reset()
        self._plain = np.array([is_plain_star(network) for network in self.networks], dtype=bool)
        self._stars = Stars([self.networks[b] for b in np.flatnonzero(self._plain)]) if self._plain.any() else None
        self._takes = {
            name: self._plain & np.array([getattr(network.schedules, name) == schedule for network in self.networks])
            for name, schedule in _FORMULAS.items()
        }
        self._speakers = _speakers(self.networks, self._plain)

    @property
    def invariant(self) -> bool:
        """Whether all these networks time a collective by how long after one another it is begun, and nothing else."""
        return all(network.paths.plain for network in self.networks)

    def carried_bits(self) -> list[Floats]:
        """What each network's resources have carried, shape (R,) each, B of them."""
        bits = {speaker: self.networks[speaker].carried_bits for speaker in set(self._speakers)}
        return [bits[speaker] for speaker in self._speakers]

    def gather(self, workers: Integers, start: Floats, sizes_bytes: Floats) -> tuple[Timing, Floats]:
        """See `Network.gather`; when each server has everything, shape (B,)."""
        arrived = np.empty(len(self.networks))

        def one(network: Network, b: int) -> Timing:
            timing, arrived[b] = network.gather(workers, start[:, b], sizes_bytes)
            return timing

        def many(stars: Stars) -> Timing:
            timing, arrived[self._plain] = stars.gather(workers, start[:, self._plain], sizes_bytes)
            return timing

        return self._asked(self._plain, start, one, many), arrived

    def serve(self, workers: Integers, start: Floats, server_start: Floats, sizes_bytes: Floats) -> Timing:
        """See `Network.serve`: `server_start` of shape (B,), sizes of shape (w,)."""

        def one(network: Network, b: int) -> Timing:
            return network.serve(workers, start[:, b], float(server_start[b]), sizes_bytes)

        def many(stars: Stars) -> Timing:
            return stars.broadcast(workers, start[:, self._plain], server_start[self._plain], sizes_bytes)

        return self._asked(self._plain, start, one, many)

    def broadcast(self, workers: Integers, start: Floats, server_start: Floats, size_bytes: float) -> Timing:
        """See `Network.broadcast`: `server_start` of shape (B,)."""
        sizes = np.full(len(workers), float(size_bytes))

        def one(network: Network, b: int) -> Timing:
            return network.broadcast(workers, start[:, b], float(server_start[b]), size_bytes)

        def many(stars: Stars) -> Timing:
            return stars.broadcast(workers, start[:, self._plain], server_start[self._plain], sizes)

        return self._asked(self._takes["broadcast"], start, one, many)

    def all_reduce(self, workers: Integers, start: Floats, sizes_bytes: Floats, merged: Merged) -> Timing:
        """See `Network.all_reduce`."""
        return self._ranks("all_reduce", workers, start, Call(sizes_bytes, merged))

    def all_gather(self, workers: Integers, start: Floats, sizes_bytes: Floats) -> Timing:
        """See `Network.all_gather`."""
        return self._ranks("all_gather", workers, start, Call(sizes_bytes, lambda _: 0.0))

    def _ranks(self, name: str, workers: Integers, start: Floats, call: Call) -> Timing:
        takes = self._takes[name]

        def one(network: Network, b: int) -> Timing:
            return network.collective(name, workers, start[:, b], call.sizes_bytes, call.merged)

        def many(stars: Stars) -> Timing:
            return stars.ring(workers, start[:, self._plain], SCHEDULES[name]["ring"](call))

        return self._asked(takes if len(workers) > 1 else takes & False, start, one, many)

    def _asked(
        self,
        takes: np.ndarray,
        start: Floats,
        one: Callable[[Network, int], Timing],
        many: Callable[[Stars], Timing],
    ) -> Timing:
        """Ask the plain stars together if all of them take the call, the others, and a speaker for each kind, alone."""
        together = self._stars is not None and bool((takes == self._plain).all())
        if together and self._plain.all():
            assert self._stars is not None
            timing = many(self._stars)
        else:
            timing = Timing(*(np.empty(start.shape) for _ in _TIMES))
            if together and self._stars is not None:
                _put(timing, self._plain, many(self._stars))
        for b, network in enumerate(self.networks):
            if not (together and self._plain[b]):
                _put(timing, b, one(network, b))
            elif self._speakers[b] == b:
                one(network, b)  # for what it carries, which is the same on all for which it speaks
        return timing


def _put(timing: Timing, columns: np.ndarray | int, other: Timing) -> None:
    for name in _TIMES:
        getattr(timing, name)[:, columns] = getattr(other, name)


def _speakers(networks: Sequence[Network], plain: np.ndarray) -> list[int]:
    """Find for each network the first that carries the same bits over the same resources: itself, unless plain."""
    first: dict[object, int] = {}
    speakers = []
    for b, network in enumerate(networks):
        paths = network.paths
        finite = np.isfinite(paths.fabric.capacity_bps).tobytes()
        key = (repr(paths.transport), finite, repr(network.schedules)) if plain[b] else b
        speakers.append(first.setdefault(key, b))
    return speakers
