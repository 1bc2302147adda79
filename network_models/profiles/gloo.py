"""What PyTorch's gloo does: rings of segments with rendezvous, whatever the size, and direct messages.

The data of a message waits for a note of the receiver, so a message that was not posted one latency early costs two.

References
----------
The gloo library, `allreduce.cc`, `allgather.cc`, `reduce.cc` and `broadcast.cc`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from network_models.fabric import Floats, Integers
from network_models.paths import Paths
from network_models.profiles import direct, gloo_plans
from network_models.profiles.plan import Played, Post, Software, play
from network_models.profiles.rings import Ring, play_ring
from network_models.schedules.call import Call
from network_models.units import seconds

_PLANS: Mapping[str, Callable[[Call], list[Post] | Ring]] = {
    "all_reduce": gloo_plans.all_reduce,
    "all_gather": gloo_plans.all_gather,
    "reduce_scatter": gloo_plans.reduce_scatter,
    "reduce": gloo_plans.reduce,
    "broadcast": gloo_plans.broadcast,
    "gather": direct.gather,
    "scatter": direct.scatter,
    "all_to_all": direct.all_to_all,
    "neighbours": direct.neighbours,
}


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
    broadcast 2 L + (depth - 1) L, direct messages 2 L. Rings on links that nobody else uses are a recurrence over
    ranks; elsewhere every message is simulated.
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

    def collective(
        self, name: str, paths: Paths, workers: Integers, start: Floats, call: Call, server_start: float | None = None
    ) -> Played:
        """Time a collective among ranks; see `Profile`."""
        plan = _PLANS[name](call)
        if isinstance(plan, Ring):
            return play_ring(paths, workers, start, plan, self.software)
        return play(paths, workers, start, plan, True, self.software, server_start)

    def gather(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats) -> tuple[Played, float]:
        """Direct, to servers that have posted their receives when the first worker is ready.

        A worker is released when its last bit has left it, one latency before it arrives.
        """
        posts = direct.with_servers(sizes, paths.fabric.servers, outward=False)
        played = play(paths, workers, start, posts, True, self.software, float(start.min()))
        return played, float(played.arrived.max())

    def broadcast(
        self, paths: Paths, workers: Integers, start: Floats, server_start: float, size: Floats | float
    ) -> Played:
        """Direct, from the servers; a worker posts its receives when it is ready."""
        posts = direct.with_servers(np.full(len(workers), size, dtype=np.float64), paths.fabric.servers, outward=True)
        return play(paths, workers, start, posts, True, self.software, server_start)
