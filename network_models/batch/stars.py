"""Stars whose links are constants, side by side: collectives as formulas over arrays of workers x networks.

The formulas are those of the engines (`engines.hub`, `engines.vector`), for all networks in one operation. B networks
of n workers; every array of times has shape (w, B) for w participants.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from network_models.batch.shared_link import drained
from network_models.engines.hub import broadcasted, gathered
from network_models.fabric import SERVER, Floats, Integers
from network_models.links import Links
from network_models.network import Network
from network_models.schedules.step import Program
from network_models.timing import Timing


def is_plain_star(network: Network) -> bool:
    """Whether a network is one that `Stars` can stand for: links of constant rates, no memory, no draws, no library."""
    fabric, settings = network.paths.fabric, network.schedules
    plain = isinstance(fabric, Links) and fabric.half_duplex is None and network.paths.plain
    return plain and network.mode == "collapsed" and settings.profile == "ideal" and network.paths.regime.silent


class Stars:
    """The server's and the ring's collectives on B stars of as many workers each.

    Parameters
    ----------
    networks : sequence of Network
        For which `is_plain_star` holds.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self._paths = [network.paths for network in networks]
        self._one_transport = len({repr(paths.transport) for paths in self._paths}) == 1
        everybody = np.arange(networks[0].workers)
        up, down = (everybody, SERVER), (SERVER, everybody)
        self._up, self._down = (
            [_columns(getattr(paths, of)(*ends) for paths in self._paths) for of in ("latency_s", "rate_bps")]
            for ends in (up, down)
        )
        own_up, own_down, hot_up, hot_down = [], [], [], []
        for paths in self._paths:
            usable, links = paths.transport.capacity_bps, paths.fabric
            assert isinstance(links, Links)
            own_up.append(np.minimum(usable(links.up_bps[everybody]), paths.ceiling_bps(*up)))
            own_down.append(np.minimum(usable(links.down_bps[everybody]), paths.ceiling_bps(*down)))
            hot_up.append(float(usable(links.up_bps[SERVER])))
            hot_down.append(float(usable(links.down_bps[SERVER])))
        self._own_up, self._own_down = _columns(own_up), _columns(own_down)
        self._hot_up, self._hot_down = np.array(hot_up), np.array(hot_down)

    def gather(self, workers: Integers, start: Floats, sizes_bytes: Floats) -> tuple[Timing, Floats]:
        """Workers to server, as `engines.hub.gather`: sizes of shape (w,); and when each server has all, shape (B,)."""
        latency, rate = (of[workers] for of in self._up)
        arrival, bits = start + latency, self._bits(sizes_bytes)
        finish = drained(arrival, bits, self._own_up[workers], self._hot_down)
        return gathered(start, finish, latency, arrival + bits / rate), finish.max(axis=0)

    def broadcast(self, workers: Integers, start: Floats, server_start: Floats, sizes_bytes: Floats) -> Timing:
        """Server to workers, as `engines.hub.broadcast`: server_start of shape (B,), sizes of shape (w,)."""
        latency, rate = (of[workers] for of in self._down)
        arrival, bits = server_start + latency, self._bits(sizes_bytes)
        arrived = drained(arrival, bits, self._own_down[workers], self._hot_up)
        return broadcasted(start, server_start, arrived, latency, arrival + bits / rate)

    def ring(self, workers: Integers, start: Floats, program: Program) -> Timing:
        """Steps in which every rank sends to the next, as `engines.vector` plays them on links of constant rates."""
        after = np.roll(workers, -1)
        latency = _columns(paths.latency_s(workers, after) for paths in self._paths)
        rate = _columns(paths.rate_bps(workers, after) for paths in self._paths)
        costs = [latency + self._bits(step.sizes) / rate for step in program.steps]
        alike = all((of == of[0]).all() for of in (start, latency, *costs))
        ready = start[:1] if alike else start  # one that stands for all
        busy, steps = np.zeros((2, *ready.shape)), 0
        for step, cost in zip(program.steps, costs, strict=True):
            cost = cost[:1] if alike else cost
            for _ in range(step.times):
                sent = ready + cost
                done = np.maximum(sent, np.roll(sent, 1, axis=0))
                gap = np.maximum(np.roll(ready, 1, axis=0) - sent, 0.0)  # until the other's message begins
                busy[int(not step.reducing)] += done - ready - gap
                ready = done
            steps += step.times
        shape = start.shape
        ready, up, down = (np.broadcast_to(of, shape) for of in (ready, *busy))
        return Timing.between(start, ready, up, down, steps * latency, np.zeros(shape))

    def _bits(self, sizes_bytes: Floats) -> Floats:
        """Bits on the wire of messages of shape (w,), shape (w, B) or, where transports are alike, (w, 1)."""
        if self._one_transport:
            return self._paths[0].bits(sizes_bytes)[:, None]
        return _columns(paths.bits(sizes_bytes) for paths in self._paths)


def _columns(arrays: Iterable[Floats]) -> Floats:
    return np.stack(list(arrays), axis=1)
