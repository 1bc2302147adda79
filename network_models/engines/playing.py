"""Play a program by the cheapest engine that is exact for it, and remember what is worth remembering."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from network_models.engines import events, vector
from network_models.engines.alike_hub import AlikeHub
from network_models.engines.carried import Carried
from network_models.engines.contention import contended
from network_models.engines.reference import Reference
from network_models.engines.trial import Trial
from network_models.fabric import Floats, Integers
from network_models.paths import Paths
from network_models.profiles import profile
from network_models.profiles.plan import Played
from network_models.schedules.call import Call
from network_models.schedules.choice import cheapest_all_reduce
from network_models.schedules.direct import gather_direct, scatter_direct
from network_models.schedules.registry import SCHEDULES
from network_models.schedules.settings import Schedules
from network_models.schedules.step import Program
from network_models.schedules.tree import broadcast_star
from network_models.timing import Timing, same, spread

MODES = ("collapsed", "message")
_KNOWN = 64  # what is remembered of each kind; then all is forgotten
_T = TypeVar("_T")


def _nothing(count: int) -> float:
    return 0.0


class Player:
    """Times programs over the paths of a network.

    Parameters
    ----------
    paths : Paths
    mode : {'collapsed', 'message'}
        The vector engine where no two messages meet and the event engine elsewhere, or the reference.
    """

    def __init__(self, paths: Paths, mode: str, schedules: Schedules) -> None:
        if mode not in MODES:
            raise ValueError(f"network.mode: expected one of {', '.join(MODES)}, got {mode!r}")
        self.paths, self.schedules, self.carried = paths, schedules, Carried(paths)
        self._library = profile(schedules.profile)
        self._reference = Reference(paths) if mode == "message" else None
        self._known: dict[Hashable, Any] = {}

    def collective(
        self, name: str, workers: Integers, start: Floats, call: Call, server_start: float | None = None
    ) -> Timing:
        """Time a collective by the schedule, or the library, that the settings name."""
        if call.ranks == 1 and call.root >= 0:
            return Timing.nothing(start)
        settings, paths = self.schedules, self.paths
        groups = self._once(("groups", id(workers)), lambda: (settings.groups(paths.fabric, workers), workers))[0]
        call = replace(call, segments=settings.segments, groups=groups, servers=paths.fabric.servers)
        schedule = getattr(settings, name)
        if self._library is not None and schedule != "server":
            return self._counted(self._library.collective(name, paths, workers, start, call, server_start), workers)
        if schedule == "auto":
            schedule = self._cheapest(workers, call)
        if schedule == "server":
            up, everything = self.gather(workers, start, call.sizes_bytes)
            return up.then(self.broadcast(workers, up.finish, everything, call.result))
        program = self.plan((name, schedule), call, SCHEDULES[name][schedule])
        fixed = call.edges is None
        return self.play((name, schedule, call.root) if fixed else None, workers, start, program, server_start)

    def _cheapest(self, workers: Integers, call: Call) -> str:
        key = ("auto", id(workers), call.largest, tuple(call.growth(2, call.ranks)))
        trial = None if vector.even(self.paths) else Trial(self.paths, workers)
        return self._once(key, lambda: (cheapest_all_reduce(self.paths, workers, call, trial), workers))[0]

    def plan(self, name: Hashable, call: Call, schedule: Callable[[Call], Program]) -> Program:
        """The program of a call, made once for all calls that are alike."""
        if not call.alike or call.edges is not None:
            return schedule(call)
        growth = tuple(call.growth(2, call.ranks))
        key = (name, call.ranks, call.largest, growth, call.segments, call.root, call.servers, id(call.groups))
        return self._once(key, lambda: (schedule(call), call))[0]

    def play(
        self,
        pattern: Hashable | None,
        workers: Integers,
        start: Floats,
        program: Program,
        server_start: float | None = None,
    ) -> Timing:
        """Time a program; programs of one `pattern` differ only in sizes (None: in anything)."""
        self.carried.count(program, workers)
        if not self.paths.regime.quiet:
            self.paths.regime.watch(workers, np.roll(workers, -1), 0.0)
        if self._reference is not None:
            return self._reference.play(workers, start, program, server_start)
        together = vector.in_step(self.paths, workers, start, program) if vector.even(self.paths) else None
        if together is not None:
            return together
        meets = self._meets(pattern, program, workers)
        play = events.play if meets else vector.play
        return play(self.paths, workers, start, program, server_start)

    def gather(self, workers: Integers, start: Floats, sizes_bytes: Floats) -> tuple[Timing, float]:
        """Workers to server."""
        self._need_server()
        if self._library is not None:
            played, everything = self._library.gather(self.paths, workers, start, sizes_bytes)
            return self._counted(played, workers), everything
        call = Call(sizes_bytes, _nothing, root=-1, servers=1)
        self.carried.count(self.plan("gather at the server", call, gather_direct), workers)
        return (self._reference or AlikeHub(self.paths)).gather(workers, start, sizes_bytes)

    def broadcast(self, workers: Integers, start: Floats, server_start: float, size_bytes: Floats | float) -> Timing:
        """Server to workers, the same to all or to each its own."""
        self._need_server()
        if isinstance(size_bytes, np.ndarray) and same(size_bytes):
            size_bytes = float(size_bytes[0])
        if self._library is not None:
            played = self._library.broadcast(self.paths, workers, start, server_start, size_bytes)
            return self._counted(played, workers)
        sizes = size_bytes if isinstance(size_bytes, np.ndarray) else spread(size_bytes, len(workers))
        call = Call(sizes, _nothing, root=-1, servers=1)
        star = broadcast_star if call.alike else scatter_direct
        self.carried.count(self.plan("broadcast from the server", call, star), workers)
        return (self._reference or AlikeHub(self.paths)).broadcast(workers, start, server_start, size_bytes)

    def _need_server(self) -> None:
        if not self.paths.fabric.servers:
            raise ValueError("network: gather and broadcast need a server, and this topology has no server")

    def _counted(self, played: Played, workers: Integers) -> Timing:
        """Count what a library has carried."""
        self.carried.count(played.program, workers)
        return played.timing

    def _meets(self, pattern: Hashable, program: Program, workers: Integers) -> bool:
        if pattern is None:
            return contended(program, self.paths, workers)
        key = ("meets", pattern, program.ranks, id(workers))
        return self._once(key, lambda: (contended(program, self.paths, workers), workers))[0]

    def _once(self, key: Hashable, make: Callable[[], tuple[_T, Any]]) -> tuple[_T, Any]:
        """What was made under a key before, with what the key names by identity, which so stays alive."""
        if key not in self._known:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[key] = make()
        made: tuple[_T, Any] = self._known[key]
        return made
