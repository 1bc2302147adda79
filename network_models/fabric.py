"""What everything that times bytes must know of a topology: its nodes, its capacities, and the route of each pair.

Workers are numbered 0..n-1 and servers -1, -2, ..., so that an array over nodes with the servers last, in reverse, is
indexed by the numbers themselves. A *resource* is a capacity that flows share: one direction of a link, or both
directions of a half-duplex one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from network_models.conditions.trace import Trace

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
#: A capacity that changes in time, in steps.
Rate: TypeAlias = Trace

SERVER = -1


class Fabric(Protocol):
    """A topology whose routes are settled."""

    @property
    def workers(self) -> int:
        """The number of workers, n."""
        ...

    @property
    def servers(self) -> int:
        """The number of servers, perhaps 0."""
        ...

    @property
    def capacity_bps(self) -> Floats:
        """Bits/s of each resource, shape (R,), perhaps infinite; of one that changes in time, the largest."""
        ...

    @property
    def rates(self) -> Mapping[int, Rate]:
        """The resources whose capacity changes in time."""
        ...

    def route(self, source: int, destination: int) -> tuple[int, ...]:
        """The resources that a message from `source` to `destination` uses, in order, those without a limit left out.

        Raises
        ------
        ValueError
            If there is no way, naming both nodes.
        """
        ...

    def path_latency_s(self, source: Integers | int, destination: Integers | int) -> Floats:
        """One-way latency, elementwise."""
        ...

    def path_bps(self, source: Integers | int, destination: Integers | int) -> Floats:
        """The least capacity on the way, elementwise."""
        ...

    def path_loss(self, source: Integers | int, destination: Integers | int) -> Floats:
        """The probability that a packet is lost on the way, elementwise."""
        ...

    def alike(self, workers: Integers) -> bool:
        """Whether exchanging any two of these workers changes nothing that a message meets; may say no too often."""
        ...

    def label(self, resource: int) -> str:
        """Name a resource, such as ``3 up`` or ``leaf0 -> spine1``."""
        ...
