"""What transports remember of connections: when each carried its last bit.

Two nodes share one connection, and each direction of it has a window of its own: the first message of one direction
opens the connection for both.
"""

from __future__ import annotations

import numpy as np

from network_models.fabric import Floats, Integers
from network_models.transports.contract import UNUSED_S

_NEVER = -np.inf
_GROUPS = 1024  # so many sets of pairs are recognised at once


class Connections:
    """Last uses by pair of nodes; a set of pairs that was asked for before is found in one look-up."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Close all connections."""
        self._number: dict[tuple[int, int], int] = {}
        self._last = np.full(16, _NEVER)
        self._groups: dict[tuple[bytes, bytes], Integers] = {}

    def idle_s(self, source: Integers, destination: Integers, begin_s: Floats) -> Floats:
        """Seconds from the last use to `begin_s`, at least 0; infinite where there is no connection. Elementwise."""
        numbers = self._numbers(source, destination)  # which may make room for more
        return np.asarray(np.maximum(begin_s - self._last[numbers], 0.0))

    def used(self, source: Integers, destination: Integers, end_s: Floats) -> None:
        """Note the time to which each direction was in use; an earlier time than is known changes nothing."""
        there, back = self._numbers(source, destination), self._numbers(destination, source)
        np.maximum.at(self._last, there, end_s)
        np.maximum.at(self._last, back, -UNUSED_S)

    def _numbers(self, source: Integers, destination: Integers) -> Integers:
        """The number of each direction, given out at first sight."""
        key = (source.tobytes(), destination.tobytes())
        numbers = self._groups.get(key)
        if numbers is None:
            pairs = zip(source.tolist(), destination.tolist(), strict=True)
            numbers = np.array([self._number.setdefault(pair, len(self._number)) for pair in pairs], dtype=np.int64)
            if len(self._number) > len(self._last):
                more = np.full(2 * len(self._number) - len(self._last), _NEVER)
                self._last = np.concatenate((self._last, more))
            if len(self._groups) >= _GROUPS:
                self._groups.clear()
            self._groups[key] = numbers
        return numbers
