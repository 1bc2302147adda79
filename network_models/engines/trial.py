"""Try an all-reduce on a network where closed forms do not hold, without leaving a trace of it."""

from __future__ import annotations

import numpy as np

from network_models.engines import events, hub, vector
from network_models.engines.contention import contended
from network_models.fabric import Integers
from network_models.paths import Paths
from network_models.schedules.call import Call
from network_models.schedules.registry import ALL_REDUCE

_MESSAGES = 20_000  # of a program whose messages meet; to play more takes longer than the choice is worth


class Trial:
    """Seconds of all-reduce schedules among workers that begin together at time 0, on connections never used."""

    def __init__(self, paths: Paths, workers: Integers) -> None:
        self._paths, self._workers = paths, workers

    def __call__(self, name: str, call: Call) -> float | None:
        """Time one; None where that would take too long."""
        paths, workers = Paths(self._paths.fabric, self._paths.transport), self._workers
        paths.regime = self._paths.regime  # which then says once what it has to say
        start = np.zeros(call.ranks)
        if name == "server":
            up, everything = hub.gather(paths, workers, start, np.array(call.sizes_bytes))
            return float(hub.broadcast(paths, workers, up.finish, everything, call.result).finish.max())
        program = ALL_REDUCE[name](call)
        if not contended(program, paths, workers):
            return float(vector.play(paths, workers, start, program).finish.max())
        if sum(len(step.source) * step.times for step in program.steps) > _MESSAGES:
            return None
        return float(events.play(paths, workers, start, program).finish.max())
