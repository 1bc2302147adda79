"""A network: a fabric, the transport over it, and the collectives that run on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy.typing as npt
import simpy

from network_models.engines.collapsed import Collapsed
from network_models.engines.message import Messages
from network_models.fabric import Fabric, Floats, Integers
from network_models.fluid import FluidNetwork
from network_models.participants import number, participants, vector
from network_models.paths import Jitter, Paths
from network_models.schedules.choice import cheapest_all_reduce
from network_models.schedules.halving_doubling import butterfly
from network_models.schedules.ring import all_gather_ring, all_reduce_ring
from network_models.timing import Timing
from network_models.transports import TransportLike
from network_models.transports import transport as make_transport

Merged: TypeAlias = Callable[[int], float]
_ENGINES: dict[str, type[Collapsed] | type[Messages]] = {"collapsed": Collapsed, "message": Messages}


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
    all_reduce : {'ring', 'halving_doubling', 'server', 'auto'}
        Schedule of `all_reduce`. `'server'` gathers at the server and broadcasts the sum; `'auto'` takes, call by
        call, the cheapest by closed form.
    all_gather : {'ring'}
        Schedule of `all_gather`.
    mode : {'collapsed', 'message'}
        Closed forms and water filling, or one simulated flow per message (slow: the reference).
    buffer_bytes : float, optional
        What a port can hold of packets that wait, to warn of incast; deep enough for everything if None.
    name : str
        How reports call this network.

    Attributes
    ----------
    paths : Paths
        What a message meets between two nodes.

    Raises
    ------
    ValueError
        If a setting is not one of the above, naming it.

    Notes
    -----
    Collectives are functions of absolute simulated seconds (and, with jitter or a transport that remembers, of what was
    sent since `reset`) and do not compete with one another for the links; transfers that should compete go through
    `fluid`.
    """

    def __init__(
        self,
        fabric: Fabric,
        transport: TransportLike = "ideal",
        jitter: Jitter | None = None,
        all_reduce: Literal["ring", "halving_doubling", "server", "auto"] = "ring",
        all_gather: Literal["ring"] = "ring",
        mode: Literal["collapsed", "message"] = "collapsed",
        buffer_bytes: float | None = None,
        name: str = "network",
    ) -> None:
        self.name = name
        self.paths = Paths(fabric, make_transport(transport), jitter, buffer_bytes)
        self._schedules = {"ring": self._ring, "halving_doubling": self._halving_doubling, "server": self._at_server}
        for key, value, known in (
            ("all_reduce", all_reduce, (*self._schedules, "auto")),
            ("all_gather", all_gather, ("ring",)),
            ("mode", mode, tuple(_ENGINES)),
        ):
            if value not in known:
                raise ValueError(f"network.{key}: expected one of {', '.join(known)}, got {value!r}")
        self._all_reduce = all_reduce
        self._engine: Collapsed | Messages = _ENGINES[mode](self.paths)

    @property
    def fabric(self) -> Fabric:
        """Nodes, links and routes."""
        return self.paths.fabric

    def fluid(self, env: simpy.Environment) -> FluidNetwork:
        """Carry single messages inside a running environment."""
        return FluidNetwork(env, self.paths)

    def reset(self) -> None:
        """Forget every connection and draw: a new run begins."""
        self.paths.reset()

    @property
    def workers(self) -> int:
        """The number of workers, n."""
        return self.paths.fabric.workers

    def gather(self, workers: npt.ArrayLike, start: npt.ArrayLike, sizes_bytes: npt.ArrayLike) -> tuple[Timing, float]:
        """Send each participant's message to the server.

        Parameters
        ----------
        workers : array of int, shape (w,)
            Numbers of the participants.
        start : array of float, shape (w,)
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
        return self._engine.gather(chosen, ready, vector("sizes_bytes", sizes_bytes, len(chosen)))

    def broadcast(self, workers: npt.ArrayLike, start: npt.ArrayLike, server_start: float, size_bytes: float) -> Timing:
        """Send one copy of a message from the server to each participant, all at once from `server_start` on.

        A worker that is ready (`start`) earlier waits until `server_start`; the rest is downlink. The server does not
        wait for workers: one that is ready later finds the message on its way or there, and is billed what is left of
        it.

        Parameters are those of `gather`, `server_start` in absolute seconds and `size_bytes` the size of one copy.
        """
        chosen, ready = participants(self.workers, workers, start)
        begin = number("server_start", server_start, low=-float("inf"))
        return self._engine.broadcast(chosen, ready, begin, number("size_bytes", size_bytes))

    def all_reduce(
        self, workers: npt.ArrayLike, start: npt.ArrayLike, sizes_bytes: npt.ArrayLike, merged: Merged
    ) -> Timing:
        """Leave the sum of all participants' payloads with each of them.

        Parameters
        ----------
        workers, start, sizes_bytes
            As for `gather`; ring and butterfly are formed in the order of `workers`.
        merged : callable
            Number of payloads merged -> bytes of the result, called for 2..w. Segments are exact fractions of it.

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
        chosen, ready = participants(self.workers, workers, start)
        sizes = vector("sizes_bytes", sizes_bytes, len(chosen))
        if len(chosen) == 1:
            return Timing.nothing(ready)
        schedule: str = self._all_reduce
        if schedule == "auto":
            schedule = cheapest_all_reduce(self.paths, chosen, sizes, merged)
        return self._schedules[schedule](chosen, ready, sizes, merged)

    def all_gather(self, workers: npt.ArrayLike, start: npt.ArrayLike, sizes_bytes: npt.ArrayLike) -> Timing:
        """Leave every participant's payload with each of them, round a ring in w - 1 steps; all transfer is downlink.

        Parameters are those of `gather`. Alike workers: (w-1) (a + 8 m / B). Alone, a worker needs no time.
        """
        chosen, ready = participants(self.workers, workers, start)
        return self._engine.ring(chosen, ready, all_gather_ring(vector("sizes_bytes", sizes_bytes, len(chosen))))

    def _ring(self, workers: Integers, start: Floats, sizes: Floats, merged: Merged) -> Timing:
        return self._engine.ring(workers, start, all_reduce_ring(sizes, merged))

    def _halving_doubling(self, workers: Integers, start: Floats, sizes: Floats, merged: Merged) -> Timing:
        return self._engine.butterfly(workers, start, butterfly(sizes, merged))

    def _at_server(self, workers: Integers, start: Floats, sizes: Floats, merged: Merged) -> Timing:
        up, everything = self._engine.gather(workers, start, sizes)
        return up.then(self._engine.broadcast(workers, up.finish, everything, merged(len(workers))))
