"""A network: a fabric, the transport over it, and the collectives that run on it."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy.typing as npt
import simpy

from network_models.engines.playing import Player
from network_models.fabric import Fabric, Floats
from network_models.fluid import FluidNetwork
from network_models.participants import edge_list, number, participants, vector
from network_models.paths import Jitter, Paths
from network_models.schedules.call import Call, Merged, largest
from network_models.schedules.settings import Schedules
from network_models.timing import Timing, spread
from network_models.transports import TransportLike
from network_models.transports import transport as make_transport

__all__ = ["Merged", "Network"]

Workers: TypeAlias = npt.ArrayLike | range | None
Edges: TypeAlias = tuple[npt.ArrayLike, npt.ArrayLike]


class Network:
    """Times collectives and carries messages over a fabric.

    Parameters
    ----------
    fabric : Fabric
        Nodes, links and routes.
    transport : {'ideal', 'tcp', 'lv08', 'quic'}, mapping or Transport
        Its name; a mapping of `name` and settings of that transport; or an object.
    jitter : Jitter, optional
        Random extra latency of each message.
    mode : {'collapsed', 'message'}
        Vectors, closed forms and events of flows, or a process and a flow for every message (slow: the reference).
    buffer_bytes : float, optional
        What a port can hold of packets that wait, to warn of incast; deep enough for everything if None.
    name : str
        How reports call this network.
    **schedules
        `all_reduce`, `all_gather`, ..., `segments`, `group_size`, `profile`: see `Schedules`.

    Attributes
    ----------
    paths : Paths
        What a message meets between two nodes.
    schedules : Schedules
        How collectives become messages.

    Raises
    ------
    ValueError
        If a setting is not one of the above, naming it.

    Notes
    -----
    Collectives are functions of absolute simulated seconds (and, with jitter or a transport that remembers, of what was
    sent since `reset`) and do not compete with one another for the links; transfers that should compete go through
    `fluid`. Workers None are all of them, a start that is one number is everybody's, and where all do the same the
    answers are read-only spreads (see `timing`), which cost as little for many workers as for few.
    """

    def __init__(
        self,
        fabric: Fabric,
        transport: TransportLike = "ideal",
        jitter: Jitter | None = None,
        mode: str = "collapsed",
        buffer_bytes: float | None = None,
        name: str = "network",
        **schedules: Any,
    ) -> None:
        if not isinstance(name, str):
            raise ValueError(f"network.name: expected a string, got {name!r}")
        self.name, self.mode = name, mode
        self.paths = Paths(fabric, make_transport(transport), jitter, buffer_bytes)
        self.schedules = Schedules.read(schedules, fabric)
        self._player = Player(self.paths, mode, self.schedules)

    @property
    def fabric(self) -> Fabric:
        """Nodes, links and routes."""
        return self.paths.fabric

    @property
    def workers(self) -> int:
        """The number of workers, n."""
        return self.paths.fabric.workers

    @property
    def carried_bits(self) -> Floats:
        """Bits on the wire that collectives have put on each resource since `reset`, shape (R,)."""
        return self._player.carried.bits

    @property
    def wire_bytes(self) -> float:
        """Bytes on the wire of all messages of collectives since `reset`, each counted once."""
        return self._player.carried.message_bits / 8.0

    def fluid(self, env: simpy.Environment) -> FluidNetwork:
        """Carry single messages inside a running environment."""
        return FluidNetwork(env, self.paths)

    def reset(self) -> None:
        """Forget every connection, draw and count: a new run begins."""
        self.paths.reset()
        self._player.carried.reset()

    def gather(self, workers: Workers, start: npt.ArrayLike, sizes_bytes: npt.ArrayLike) -> tuple[Timing, float]:
        """Send each participant's message to the server.

        Parameters
        ----------
        workers : array of int, shape (w,), or None
            Numbers of the participants.
        start : array of float, shape (w,), or float
            Absolute seconds at which each is ready and starts to send.
        sizes_bytes : array of float, shape (w,)
            Bytes that each sends.

        Returns
        -------
        Timing
            A worker is released when its own upload is complete; all of it is uplink.
        float
            Absolute seconds at which the server has everything.

        Raises
        ------
        ValueError
            If shapes differ, a worker does not exist or is named twice, or a size is negative.
        """
        chosen, ready = participants(self.workers, workers, start)
        return self._player.gather(chosen, ready, vector("sizes_bytes", sizes_bytes, len(chosen)))

    def broadcast(self, workers: Workers, start: npt.ArrayLike, server_start: float, size_bytes: float) -> Timing:
        """Send one copy of a message from the server to each participant, all at once from `server_start` on.

        A worker that is ready (`start`) earlier waits until `server_start`; the rest is downlink. The server does not
        wait for workers: one that is ready later finds the message on its way or there, and is billed what is left of
        it. Down a tree or a chain (`broadcast: binomial, pipelined_chain`) nodes do wait for one another.

        Parameters are those of `gather`, `server_start` in absolute seconds and `size_bytes` the size of one copy.
        """
        chosen, ready = participants(self.workers, workers, start)
        begin, size = number("server_start", server_start, low=-float("inf")), number("size_bytes", size_bytes)
        if self.schedules.broadcast == "star":
            return self._player.broadcast(chosen, ready, begin, size)
        sizes = spread(size, len(chosen))
        return self._player.collective("broadcast", chosen, ready, Call(sizes, lambda _: size, root=-1), begin)

    def serve(self, workers: Workers, start: npt.ArrayLike, server_start: float, sizes_bytes: npt.ArrayLike) -> Timing:
        """Send each participant a message of its own, `sizes_bytes`, shape (w,): as `broadcast` down a star."""
        chosen, ready = participants(self.workers, workers, start)
        begin = number("server_start", server_start, low=-float("inf"))
        return self._player.broadcast(chosen, ready, begin, vector("sizes_bytes", sizes_bytes, len(chosen)))

    def all_reduce(
        self, workers: Workers, start: npt.ArrayLike, sizes_bytes: npt.ArrayLike, merged: Merged | None = None
    ) -> Timing:
        """Leave the sum of all participants' payloads with each of them.

        Parameters
        ----------
        workers, start, sizes_bytes
            As for `gather`; ranks are formed in the order of `workers`.
        merged : callable, optional
            Number of payloads merged -> bytes of the result, asked for 2..w, which never fall as the number grows. By
            default those of the largest payload. Segments are exact fractions of it.

        Returns
        -------
        Timing
            The reduce-scatter half (or the way to the server) is uplink, the all-gather half (the way back) downlink;
            time in which neither an own message nor one that the worker needs is under way is waiting. Alone, a
            worker needs no time.

        Notes
        -----
        Alike workers, m bytes that do not grow: ring 2 (w-1) (a + 8 m / (w B)), halving-doubling 2 log2(w) a + 2 (1 -
        1/w) 8 m / B.
        """
        return self.collective("all_reduce", workers, start, sizes_bytes, merged)

    def all_gather(self, workers: Workers, start: npt.ArrayLike, sizes_bytes: npt.ArrayLike) -> Timing:
        """Leave every participant's payload with each of them; all transfer is downlink. Alone, no time."""
        return self.collective("all_gather", workers, start, sizes_bytes)

    def reduce_scatter(
        self, workers: Workers, start: npt.ArrayLike, sizes_bytes: npt.ArrayLike, merged: Merged | None = None
    ) -> Timing:
        """Leave 1/w of the sum of all payloads with each participant; see `all_reduce`."""
        return self.collective("reduce_scatter", workers, start, sizes_bytes, merged)

    def all_to_all(self, workers: Workers, start: npt.ArrayLike, sizes_bytes: npt.ArrayLike) -> Timing:
        """Send `sizes_bytes[r]` bytes from each rank r to each of the others."""
        return self.collective("all_to_all", workers, start, sizes_bytes)

    def reduce(
        self,
        workers: Workers,
        start: npt.ArrayLike,
        sizes_bytes: npt.ArrayLike,
        merged: Merged | None = None,
        root: int = 0,
    ) -> Timing:
        """Leave the sum of all payloads with the rank `root`; see `all_reduce`."""
        return self.collective("reduce", workers, start, sizes_bytes, merged, root)

    def scatter(self, workers: Workers, start: npt.ArrayLike, sizes_bytes: npt.ArrayLike, root: int = 0) -> Timing:
        """Send each rank r its `sizes_bytes[r]` bytes, which the rank `root` holds."""
        return self.collective("scatter", workers, start, sizes_bytes, root=root)

    def neighbours(self, workers: Workers, start: npt.ArrayLike, sizes_bytes: npt.ArrayLike, edges: Edges) -> Timing:
        """Send each rank's payload along its edges at once; `edges` are the ranks they leave and those they reach."""
        return self.collective("neighbours", workers, start, sizes_bytes, edges=edges)

    def collective(
        self,
        name: str,
        workers: Workers,
        start: npt.ArrayLike,
        sizes_bytes: npt.ArrayLike,
        merged: Merged | None = None,
        root: int = 0,
        edges: Edges | None = None,
    ) -> Timing:
        """Time any collective among ranks by its name; one with a root starts from, or ends at, that rank.

        Raises
        ------
        ValueError
            If an argument is not what the method of that name asks for.
        """
        chosen, ready = participants(self.workers, workers, start)
        sizes = vector("sizes_bytes", sizes_bytes, len(chosen))
        if not 0 <= root < len(chosen):
            raise ValueError(f"root: expected a rank in 0..{len(chosen) - 1}, got {root}")
        pairs = None if edges is None else edge_list(edges, len(chosen))
        return self._player.collective(
            name, chosen, ready, Call(sizes, merged or largest(sizes), root=root, edges=pairs)
        )
