"""What NCCL does: a ring or a double binary tree in one of three protocols, whichever is cheapest for the size.

References
----------
The NCCL library, `tuning.cc` (costs) and `trees.cc` (the double tree); Sanders, Speck, Träff, "Two-tree algorithms for
full bandwidth broadcast, reduction and scan", Parallel Computing 35(12), 2009.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from network_models.engines import hub
from network_models.fabric import SERVER, Floats, Integers
from network_models.paths import Paths
from network_models.profiles import nccl_plans as plans
from network_models.profiles.plan import Post, Software, play
from network_models.profiles.protocols import PROTOCOLS, Protocol, framed
from network_models.timing import Timing
from network_models.units import seconds

Merged = Callable[[int], float]


@dataclass(frozen=True)
class Nccl:
    """Times collectives as NCCL runs them.

    Parameters
    ----------
    call_s : float or str
        The launch of a collective.

    Notes
    -----
    Between w ranks, with hop latency a = L + the protocol's and its share e of the rate B, n bytes cost 2 (w-1) a + 2
    (w-1)/w 8 n / (e B) in a ring and 2 ceil(log2 w) (a + 8 c / (e B)) + 2 * 8 n / (e B) in a double tree with pieces of
    c bytes. Receivers own buffers, so nothing waits for a note. Left out: intra-node links, channels, NVLink SHARP.
    """

    name: ClassVar[str] = "nccl"

    call_s: float | str = 10e-6

    def __post_init__(self) -> None:
        seconds(self.call_s, "network.profile.call_s")

    def choose(self, paths: Paths, workers: Integers, size_bytes: float, trees: bool = True) -> tuple[str, Protocol]:
        """Name the cheapest of `ring` and (unless `trees` is false) `tree`, and its protocol, for an all-reduce."""
        following = np.roll(workers, -1)
        rate = float(paths.rate_bps(workers, following).min())
        latency = float(paths.latency_s(workers, following).max())
        times: dict[tuple[str, str], float] = {}
        for name, protocol in PROTOCOLS.items():
            wire_s = float(paths.bits(size_bytes)) / (protocol.efficiency * rate)
            hop = latency + protocol.hop_s
            ranks = len(workers)
            times["ring", name] = 2 * (ranks - 1) * hop + 2 * (ranks - 1) / ranks * wire_s
            if trees:
                piece_s = wire_s / 2 / plans.pieces(size_bytes)
                times["tree", name] = 2 * (ranks - 1).bit_length() * (hop + piece_s) + 2 * wire_s
        algorithm, name = min(times, key=times.__getitem__)
        return algorithm, PROTOCOLS[name]

    def all_reduce(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats, merged: Merged) -> Timing:
        """Ring or double tree; `sizes` in bytes, shape (w,)."""
        size = max(float(sizes.max()), merged(len(workers)) if len(workers) > 1 else 0.0)
        algorithm, protocol = self.choose(paths, workers, size)
        plan = plans.all_reduce_ring if algorithm == "ring" else plans.all_reduce_tree
        return self._play(framed(paths, protocol), workers, start, plan(sizes, merged))

    def all_gather(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats) -> Timing:
        """Ring."""
        _, protocol = self.choose(paths, workers, float(sizes.max()), trees=False)
        return self._play(framed(paths, protocol), workers, start, plans.all_gather(sizes))

    def reduce_scatter(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats, merged: Merged) -> Timing:
        """Ring."""
        _, protocol = self.choose(paths, workers, float(sizes.max()), trees=False)
        return self._play(framed(paths, protocol), workers, start, plans.reduce_scatter(sizes, merged))

    def all_to_all(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats) -> Timing:
        """Direct; `sizes[r, s]` bytes go from rank r to rank s, shape (w, w)."""
        _, protocol = self.choose(paths, workers, float(sizes.max()), trees=False)
        return self._play(framed(paths, protocol), workers, start, plans.all_to_all(sizes))

    def gather(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats) -> tuple[Timing, float]:
        """Direct, to the server."""
        begin = start + seconds(self.call_s)
        timing, everything = hub.gather(self._to_server(paths, workers, sizes), workers, begin, sizes)
        return Timing.between(start, timing.finish, timing.uplink, timing.downlink, timing.latency), everything

    def broadcast(self, paths: Paths, workers: Integers, start: Floats, server_start: float, size: float) -> Timing:
        """Direct, from the server."""
        began = server_start + seconds(self.call_s)
        sizes = np.full(len(workers), float(size))
        timing = hub.broadcast(self._to_server(paths, workers, sizes), workers, start, began, size)
        return Timing.between(start, timing.finish, timing.uplink, timing.downlink, timing.latency)

    def _to_server(self, paths: Paths, workers: Integers, sizes: Floats) -> Paths:
        """The protocol with the least hop and transfer time to the server."""
        bits, rate = float(paths.bits(sizes).max()), float(paths.rate_bps(workers, SERVER).min())
        best = min(PROTOCOLS.values(), key=lambda protocol: protocol.hop_s + bits / (protocol.efficiency * rate))
        return framed(paths, best)

    def _play(self, paths: Paths, workers: Integers, start: Floats, posts: Sequence[Post]) -> Timing:
        return play(paths, workers, start, posts, False, Software(call_s=seconds(self.call_s))).timing
