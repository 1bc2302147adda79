"""The collectives of many networks, each asked once for all: plain stars in one pass, others one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from network_models.batch.stars import Stars, is_plain_star
from network_models.fabric import Floats, Integers
from network_models.network import Network
from network_models.schedules.call import Call, Merged, largest
from network_models.schedules.registry import SCHEDULES
from network_models.timing import Timing

_TIMES = ("finish", "uplink", "downlink", "waiting", "latency", "queueing")
_FORMULAS = {"broadcast": "star", "all_reduce": "ring", "all_gather": "ring"}


class Batch:
    """B networks of n workers each, asked at once; every array of times has shape (w, B).

    Parameters
    ----------
    networks : sequence of Network
        All for one number of workers. Where all are plain stars of the same schedules they are timed side by side.

    Attributes
    ----------
    speakers : list of int
        For each network the first that carries the same bits over the same resources, perhaps itself.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks = list(networks)
        for network in self.networks:
            network.reset()
        schedules = self.networks[0].schedules
        alike = all(is_plain_star(network) and network.schedules == schedules for network in self.networks)
        self._stars = Stars(self.networks) if alike else None
        self._takes = {name: alike and getattr(schedules, name) == schedule for name, schedule in _FORMULAS.items()}
        self.speakers = _speakers(self.networks) if alike else list(range(len(self.networks)))
        self._speaking = sorted(set(self.speakers))

    def carried_bits(self) -> dict[int, Floats]:
        """What the resources of each speaker have carried, shape (R,)."""
        return {speaker: self.networks[speaker].carried_bits for speaker in self._speaking}

    def gather(self, workers: Integers, start: Floats, sizes_bytes: Floats) -> tuple[Timing, Floats]:
        """See `Network.gather`; when each server has everything, shape (B,)."""
        arrived = np.empty(len(self.networks))

        def one(network: Network, b: int) -> Timing:
            timing, arrived[b] = network.gather(workers, start[:, b], sizes_bytes)
            return timing

        def many(stars: Stars) -> Timing:
            timing, arrived[:] = stars.gather(workers, start, sizes_bytes)
            return timing

        return self._asked(True, start, many, one), arrived

    def serve(self, workers: Integers, start: Floats, server_start: Floats, sizes_bytes: Floats) -> Timing:
        """See `Network.serve`: `server_start` of shape (B,), sizes of shape (w,)."""

        def one(network: Network, b: int) -> Timing:
            return network.serve(workers, start[:, b], float(server_start[b]), sizes_bytes)

        return self._asked(True, start, lambda stars: stars.broadcast(workers, start, server_start, sizes_bytes), one)

    def broadcast(self, workers: Integers, start: Floats, server_start: Floats, size_bytes: float) -> Timing:
        """See `Network.broadcast`: `server_start` of shape (B,)."""
        sizes = np.full(len(workers), float(size_bytes))

        def one(network: Network, b: int) -> Timing:
            return network.broadcast(workers, start[:, b], float(server_start[b]), size_bytes)

        takes = self._takes["broadcast"]
        return self._asked(takes, start, lambda stars: stars.broadcast(workers, start, server_start, sizes), one)

    def all_reduce(self, workers: Integers, start: Floats, sizes_bytes: Floats, merged: Merged) -> Timing:
        """See `Network.all_reduce`."""
        return self._ranks("all_reduce", workers, start, Call(sizes_bytes, merged))

    def all_gather(self, workers: Integers, start: Floats, sizes_bytes: Floats) -> Timing:
        """See `Network.all_gather`."""
        return self._ranks("all_gather", workers, start, Call(sizes_bytes, largest(sizes_bytes)))

    def _ranks(self, name: str, workers: Integers, start: Floats, call: Call) -> Timing:
        def one(network: Network, b: int) -> Timing:
            return network.collective(name, workers, start[:, b], call.sizes_bytes, call.merged)

        def many(stars: Stars) -> Timing:
            return stars.ring(workers, start, SCHEDULES[name]["ring"](call))

        return self._asked(self._takes[name] and len(workers) > 1, start, many, one)

    def _asked(
        self, takes: bool, start: Floats, many: Callable[[Stars], Timing], one: Callable[[Network, int], Timing]
    ) -> Timing:
        """Ask all stars together where they take the call, and the speakers for what they carry; else each alone."""
        if takes and self._stars is not None:
            for b in self._speaking:
                one(self.networks[b], b)
            return many(self._stars)
        timing = Timing(*(np.empty(start.shape) for _ in _TIMES))
        for b, network in enumerate(self.networks):
            alone = one(network, b)
            for name in _TIMES:
                getattr(timing, name)[:, b] = getattr(alone, name)
        return timing


def _speakers(stars: Sequence[Network]) -> list[int]:
    """Find for each of some plain stars of the same schedules the first that carries what it does."""
    first: dict[tuple[str, bytes], int] = {}
    keys = [(repr(star.paths.transport), np.isfinite(star.fabric.capacity_bps).tobytes()) for star in stars]
    return [first.setdefault(key, b) for b, key in enumerate(keys)]
