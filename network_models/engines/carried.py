"""What collectives carry over each resource, counted when somebody asks."""

from __future__ import annotations

import numpy as np

from network_models.engines.contention import incidence
from network_models.fabric import Floats, Integers
from network_models.paths import Paths
from network_models.schedules.step import Program

_PENDING = 64  # programs that may wait to be counted


class Carried:
    """Adds up the bits on the wire of every resource, in no time for a program that is played again and again."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._bits, self._messages = np.zeros(len(paths.capacity_bps)), 0.0
        self._pending: dict[tuple[int, int], tuple[Program, Integers, list[int]]] = {}

    def count(self, program: Program, workers: Integers) -> None:
        """Note that a program was played once among these workers; neither may change afterwards."""
        key = (id(program), id(workers))
        if key not in self._pending:
            if len(self._pending) >= _PENDING:
                self._settle()
            self._pending[key] = (program, workers, [0])  # holds both, so that no other has their identity
        self._pending[key][2][0] += 1

    @property
    def bits(self) -> Floats:
        """Bits carried so far, shape (R,)."""
        self._settle()
        return self._bits.copy()

    @property
    def message_bits(self) -> float:
        """Bits of all messages so far, however many resources each has passed."""
        self._settle()
        return self._messages

    def reset(self) -> None:
        """Begin anew."""
        self._pending.clear()
        self._bits[:], self._messages = 0.0, 0.0

    def _settle(self) -> None:
        pending, self._pending = self._pending, {}
        for program, workers, (times,) in pending.values():
            carried, messages = carried_bits(self._paths, workers, program)
            self._bits += times * carried
            self._messages += times * messages


def carried_bits(paths: Paths, workers: Integers, program: Program) -> tuple[Floats, float]:
    """Bits on the wire that one playing of a program puts on each resource, shape (R,), and those of its messages."""
    nodes = np.concatenate((workers, np.arange(-program.servers, 0))) if program.servers else workers
    total, messages = np.zeros(len(paths.capacity_bps)), 0.0
    patterns: dict[tuple[int, int], tuple[Integers, Integers, Floats]] = {}
    for step in program.steps:
        key = (id(step.source), id(step.destination))
        if key not in patterns or patterns[key][0] is not step.source:
            patterns[key] = (step.source, step.destination, np.zeros(len(step.source)))
        patterns[key][2][:] += step.times * paths.bits(step.size_bytes)
    for source, destination, bits in patterns.values():
        message, resource = incidence(paths.fabric, nodes[source], nodes[destination])
        total += np.bincount(resource, bits[message], len(total))
        messages += float(bits.sum())
    return total, messages
