"""What PyTorch's gloo does: rings of segments with rendezvous, whatever the size, and direct messages.

The data of a message waits for a note of the receiver, so a message that was not posted one latency early costs two.

References
----------
The gloo library, `allreduce.cc`, `allgather.cc`, `reduce.cc` and `broadcast.cc`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from network_models.fabric import SERVER, Floats, Integers
from network_models.paths import Paths
from network_models.profiles import gloo_plans as plans
from network_models.profiles.plan import Played, Post, Software, play
from network_models.timing import Timing
from network_models.units import seconds

Merged = Callable[[int], float]


@dataclass(frozen=True)
class Gloo:
    """Times collectives as gloo runs them.

    Parameters
    ----------
    call_s, message_s : float or str
        Software of each call, and of each message: 0.4 and 0.15 ms were measured on one machine.

    Notes
    -----
    Small messages between alike ranks, L one way: all-reduce 2 (w-1) 2 L, all-gather (w-1) 2 L, reduce (w-1) 2 L + 2 L,
    broadcast 2 L + (levels - 1) L, direct messages 2 L. Every message is simulated: cost grows with w^2.
    """

    name: ClassVar[str] = "gloo"

    call_s: float | str = 0.4e-3
    message_s: float | str = 0.15e-3

    def __post_init__(self) -> None:
        _ = self.software

    @property
    def software(self) -> Software:
        """The two constants, read."""
        return Software(
            seconds(self.call_s, "network.profile.call_s"), seconds(self.message_s, "network.profile.message_s")
        )

    def all_reduce(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats, merged: Merged) -> Timing:
        """Ring in segments of at most 1 MiB, two in flight; `sizes` in bytes, shape (w,)."""
        return self._play(paths, workers, start, plans.all_reduce(sizes, merged)).timing

    def all_gather(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats) -> Timing:
        """Ring, every block in two halves."""
        return self._play(paths, workers, start, plans.all_gather(sizes)).timing

    def reduce(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats, merged: Merged) -> Timing:
        """Ring reduce-scatter, then every rank's part to the first."""
        return self._play(paths, workers, start, plans.reduce(sizes, merged)).timing

    def tree_broadcast(self, paths: Paths, workers: Integers, start: Floats, size_bytes: float) -> Timing:
        """Binomial tree from the first rank, whole messages; a rank's sends share its uplink."""
        return self._play(paths, workers, start, plans.broadcast(len(workers), size_bytes)).timing

    def all_to_all(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats) -> Timing:
        """Direct; `sizes[r, s]` bytes go from rank r to rank s, shape (w, w)."""
        return self._play(paths, workers, start, plans.all_to_all(sizes)).timing

    def scatter(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats) -> Timing:
        """Direct; the first rank sends rank r `sizes[r]` bytes."""
        return self._play(paths, workers, start, plans.direct(0, sizes, outward=True)).timing

    def rank_gather(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats) -> Timing:
        """Direct; rank r sends the first rank `sizes[r]` bytes."""
        return self._play(paths, workers, start, plans.direct(0, sizes, outward=False)).timing

    def gather(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats) -> tuple[Timing, float]:
        """Direct, to a server that has posted its receives when the first worker is ready.

        A worker is released when its last bit has left it, one latency before it arrives.
        """
        played = self._play(
            paths, workers, start, plans.direct(SERVER, sizes, outward=False), server_start=float(start.min())
        )
        return played.timing, float(played.arrived.max())

    def broadcast(self, paths: Paths, workers: Integers, start: Floats, server_start: float, size: float) -> Timing:
        """Direct, from a server; a worker posts its receive when it is ready."""
        posts = plans.direct(SERVER, np.full(len(workers), float(size)), outward=True)
        return self._play(paths, workers, start, posts, server_start=server_start).timing

    def _play(
        self, paths: Paths, workers: Integers, start: Floats, posts: Sequence[Post], server_start: float = 0.0
    ) -> Played:
        return play(paths, workers, start, posts, True, self.software, server_start)
