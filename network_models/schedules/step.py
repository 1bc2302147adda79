"""A collective as steps of messages between ranks: what every schedule is lowered to, and every engine can play.

A rank enters a step when it is through with all earlier steps in which it sends or receives, and is through with the
step when all its messages of that step, sent and received, have arrived. A message begins when its sender enters the
step or, in a step with `rendezvous`, when both its ends have.

Ranks are positions in the list of participants (0..w-1); servers keep their negative numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from network_models.fabric import Floats, Integers


@dataclass(frozen=True, eq=False)
class Step:
    """Messages that belong to the same step of a schedule.

    Parameters
    ----------
    source, destination : ndarray of int, shape (m,)
        Ranks; a rank may send or receive several messages, which then share its links.
    size_bytes : ndarray, shape (m,), or float
        Bytes of each message; one number when all are the same.
    reducing : bool
        Whether the step counts as uplink (what is sent is still to be merged) or as downlink.
    rendezvous : bool
        Whether a message waits for its receiver to enter the step.
    times : int
        How many times in a row the step is done.
    """

    source: Integers
    destination: Integers
    size_bytes: Floats | float
    reducing: bool = False
    rendezvous: bool = False
    times: int = 1

    @property
    def sizes(self) -> Floats:
        """Bytes of each message, shape (m,)."""
        return np.broadcast_to(np.asarray(self.size_bytes, dtype=np.float64), self.source.shape)


@dataclass(frozen=True, eq=False)
class Program:
    """A whole collective among `ranks` participants.

    Parameters
    ----------
    ranks : int
        w.
    steps : sequence of Step
        In order; may be lazy.
    """

    ranks: int
    steps: Sequence[Step]
