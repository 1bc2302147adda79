"""Messages that start at given times, played as fluid flows on a private clock."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import simpy

from network_models.fabric import Floats, Integers
from network_models.fluid import FluidNetwork
from network_models.transfer import Transfer


def flow_ends(
    network: FluidNetwork, source: Integers, destination: Integers, begin_s: Floats, size_bytes: Floats, key: int = 0
) -> Floats:
    """Find when each message has arrived, all of them sharing the links max-min fairly.

    Parameters
    ----------
    network : FluidNetwork
        On a clock of its own, at the earliest beginning or before.
    source, destination : ndarray of int, shape (m,)
        Nodes.
    begin_s : ndarray, shape (m,)
        Absolute seconds at which each is sent.
    size_bytes : ndarray, shape (m,)
    key : int
        Of the messages' jitter.

    Returns
    -------
    ndarray, shape (m,)
    """
    env, ends = network.env, np.empty(len(source))
    records: list[simpy.Event] = []

    def send(batch: list[int]) -> Callable[[simpy.Event], None]:
        def begin(_: simpy.Event) -> None:
            for message in batch:
                ways = int(source[message]), int(destination[message])
                records.append(network.transfer(*ways, float(size_bytes[message]), key))

        return begin

    order = np.argsort(begin_s, kind="stable")
    starts, first = np.unique(begin_s[order], return_index=True)
    for time, batch in zip(starts.tolist(), np.split(order, first[1:]), strict=True):
        begins = env.timeout(time - env.now)
        begins.callbacks.append(send(batch.tolist()))
    env.run(until=begins)
    env.run(until=env.all_of(records))
    for message, record in zip(order.tolist(), records, strict=True):
        arrived: Transfer = record.value  # type: ignore[assignment]  # events carry any value
        ends[message] = arrived.finish_s
    return ends
