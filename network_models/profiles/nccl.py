"""What NCCL does: a ring or a double binary tree in one of three protocols, whichever is cheapest for the size.

References
----------
The NCCL library, `tuning.cc` (costs) and `trees.cc` (the double tree); Sanders, Speck, Träff, "Two-tree algorithms for
full bandwidth broadcast, reduction and scan", Parallel Computing 35(12), 2009.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from network_models.fabric import SERVER, Floats, Integers
from network_models.paths import Paths
from network_models.profiles import direct, nccl_plans
from network_models.profiles.plan import Played, Post, Software, play
from network_models.profiles.protocols import PROTOCOLS, Protocol, framed
from network_models.profiles.rings import Ring, play_ring
from network_models.schedules.call import Call
from network_models.units import seconds

_PLANS: Mapping[str, Callable[[Call], list[Post] | Ring]] = {
    "all_gather": nccl_plans.all_gather,
    "reduce_scatter": nccl_plans.reduce_scatter,
    "reduce": nccl_plans.reduce,
    "broadcast": nccl_plans.broadcast,
    "gather": direct.gather,
    "scatter": direct.scatter,
    "all_to_all": direct.all_to_all,
    "neighbours": direct.neighbours,
}
_ROUNDS = ("all_gather", "reduce_scatter")  # whose ring goes round the ranks once


@dataclass(frozen=True)
class Nccl:
    """Times collectives as NCCL runs them between hosts with one device each.

    Parameters
    ----------
    call_s : float or str
        The launch of a collective.

    Notes
    -----
    Between w ranks, with hop latency a = L + the protocol's and its share e of the rate B, an all-reduce of n bytes
    costs 2 (w-1) a + 2 (w-1)/w 8 n / (e B) in a ring and about 2 ceil(log2 w) (a + 8 c / (e B)) + 2 * 8 n / (e B) in a
    double tree with pieces of c bytes. Left out: links within a host, several channels, reduction in switches.
    """

    name: ClassVar[str] = "nccl"

    call_s: float | str = 10e-6

    def __post_init__(self) -> None:
        _ = self.software

    @property
    def software(self) -> Software:
        """The launch, read."""
        return Software(call_s=seconds(self.call_s, "network.profile.call_s"))

    def choose(self, paths: Paths, workers: Integers, size_bytes: float) -> tuple[str, Protocol]:
        """Name the cheaper of `ring` and `tree` for an all-reduce, and its protocol."""
        times = {("ring", name): 2 * self._ring_s(paths, workers, size_bytes, of) for name, of in PROTOCOLS.items()}
        latency, rate = _slowest(paths, workers, np.roll(workers, -1))
        levels = (len(workers) - 1).bit_length()
        for name, protocol in PROTOCOLS.items():
            wire_s = float(paths.bits(size_bytes)) / (protocol.efficiency * rate)
            piece_s = wire_s / 2 / nccl_plans.pieces(size_bytes / 2)
            times["tree", name] = 2 * levels * (latency + protocol.hop_s + piece_s) + 2 * wire_s
        algorithm, name = min(times, key=times.__getitem__)
        return algorithm, PROTOCOLS[name]

    def collective(
        self, name: str, paths: Paths, workers: Integers, start: Floats, call: Call, server_start: float | None = None
    ) -> Played:
        """Time a collective among ranks; see `Profile`."""
        if name == "all_reduce":
            algorithm, protocol = self.choose(paths, workers, max(call.largest, call.result))
            plan = nccl_plans.all_reduce_ring(call) if algorithm == "ring" else nccl_plans.all_reduce_tree(call)
        else:
            plan = _PLANS[name](call)
            cost = self._ring_s if name in _ROUNDS else self._hop_s
            protocol = min(PROTOCOLS.values(), key=lambda of: cost(paths, workers, call.largest, of))
        felt = framed(paths, protocol)
        if isinstance(plan, Ring):
            return play_ring(felt, workers, start, plan, self.software)
        return play(felt, workers, start, plan, False, self.software, server_start)

    def gather(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats) -> tuple[Played, float]:
        """Direct, to the servers; a worker is released when its last bit has left it."""
        posts = direct.with_servers(sizes, paths.fabric.servers, outward=False)
        played = play(self._to_server(paths, workers, sizes), workers, start, posts, False, self.software)
        return played, float(played.arrived.max())

    def broadcast(
        self, paths: Paths, workers: Integers, start: Floats, server_start: float, size: Floats | float
    ) -> Played:
        """Direct, from the servers."""
        sizes = np.full(len(workers), size, dtype=np.float64)
        posts = direct.with_servers(sizes, paths.fabric.servers, outward=True)
        return play(self._to_server(paths, workers, sizes), workers, start, posts, False, self.software, server_start)

    def _ring_s(self, paths: Paths, workers: Integers, size_bytes: float, protocol: Protocol) -> float:
        """Once round the ranks, with parts of 1/w."""
        return (len(workers) - 1) * self._hop_s(paths, workers, size_bytes / len(workers), protocol)

    def _hop_s(self, paths: Paths, workers: Integers, size_bytes: float, protocol: Protocol) -> float:
        """From a rank to the next."""
        latency, rate = _slowest(paths, workers, np.roll(workers, -1))
        return latency + protocol.hop_s + float(paths.bits(size_bytes)) / (protocol.efficiency * rate)

    def _to_server(self, paths: Paths, workers: Integers, sizes: Floats) -> Paths:
        """The protocol with the least hop and transfer time to a server."""
        bits, (_, rate) = float(paths.bits(sizes).max()), _slowest(paths, workers, SERVER)
        best = min(PROTOCOLS.values(), key=lambda protocol: protocol.hop_s + bits / (protocol.efficiency * rate))
        return framed(paths, best)


def _slowest(paths: Paths, source: Integers, destination: Integers | int) -> tuple[float, float]:
    """The largest latency and the smallest rate."""
    return float(paths.latency_s(source, destination).max()), float(paths.rate_bps(source, destination).min())
