"""Messages between the programs of a co-simulation: over the network, lost and sent again, cut off by a crash.

Messages of one channel are handed over in the order in which they were sent, also when an early one was lost. Every
transmission counts as bytes that left and entered workers.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

import simpy

from algorithms.ops import SERVER
from algorithms.payloads import Payload
from network_models import FluidNetwork, Transfer
from simulator.drivers.listening import Listener
from simulator.faults import MessageLoss


@dataclass(eq=False, slots=True)
class Parcel:
    """A message on its way.

    Parameters
    ----------
    number : int
        Of the message on its channel.
    attempt : int
        Transmissions that were lost.
    latency_s : float or None
        Of the transmission that arrived.
    landed_s : float
        When that was.
    queueing_s : float
        What all transmissions so far, and standing behind an earlier message of the channel, owe to others.
    cut : bool
        Whether it never will.
    """

    source: int
    to: int
    payload: Payload
    sent_s: float
    number: int
    attempt: int = 0
    latency_s: float | None = None
    landed_s: float = 0.0
    queueing_s: float = 0.0
    cut: bool = False


class Carrier:
    """Carries messages.

    Parameters
    ----------
    loss : MessageLoss or None
        Which transmissions are lost.
    deliver : callable
        Called with each parcel that is handed over, and the latency that the transmission had.
    landed : callable
        Called with each transmission at its end, also of a lost one.

    Attributes
    ----------
    counts : Counter
        Messages ``cut`` off, transmissions ``lost``, and ``retries`` with their ``retransmitted_bytes``.
    """

    def __init__(
        self,
        env: simpy.Environment,
        links: FluidNetwork,
        loss: MessageLoss | None,
        listener: Listener,
        deliver: Callable[[Parcel, float], None],
        landed: Callable[[Transfer], None],
    ) -> None:
        self.env, self.links, self.loss, self.listener, self.deliver = env, links, loss, listener, deliver
        self.landed = landed
        self.counts: Counter[str] = Counter()
        self._channels: defaultdict[tuple[int, int], deque[Parcel]] = defaultdict(deque)
        self._sent: Counter[tuple[int, int]] = Counter()

    @property
    def busy(self) -> bool:
        """Whether a message is on its way to somebody who will receive it."""
        return any(self._channels.values())

    @property
    def flying(self) -> list[Parcel]:
        """The messages that are on their way to somebody who will receive them."""
        return [parcel for channel in self._channels.values() for parcel in channel]

    def of(self, worker: int) -> list[Parcel]:
        """Give those from and to a worker."""
        return [parcel for parcel in self.flying if worker in (parcel.source, parcel.to)]

    def totals(self) -> dict[str, float]:
        """Count what went wrong so far."""
        counts: dict[str, float] = {f"messages_{kind}": self.counts[kind] for kind in ("cut", "lost")}
        return counts | {kind: self.counts[kind] for kind in ("retries", "retransmitted_bytes")}

    def send(self, source: int, to: int, payload: Payload, cut: bool = False) -> None:
        """Send a message of one row; one that is `cut` from the start travels, but nobody receives it."""
        channel = source, to
        parcel = Parcel(source, to, payload, self.env.now, self._sent[channel], cut=cut)
        self._sent[channel] += 1
        self.counts["cut"] += cut
        if not cut:
            self._channels[channel].append(parcel)
        self._transmit(parcel)

    def cut(self, worker: int) -> None:
        """Lose all that is on its way from and to a worker, for good; what is on the links stays there till its end."""
        for channel in [channel for channel in self._channels if worker in channel]:
            for parcel in self._channels.pop(channel):
                parcel.cut = True
                self.counts["cut"] += 1

    def _transmit(self, parcel: Parcel) -> None:
        for direction, end in (("uplink", parcel.source), ("downlink", parcel.to)):
            if end != SERVER:
                self.listener.carried(direction, parcel.payload)
        event = self.links.transfer(parcel.source, parcel.to, int(parcel.payload.bytes[0]))
        event.callbacks.append(lambda done: self._landed(parcel, done.value))

    def _landed(self, parcel: Parcel, transfer: Transfer) -> None:
        self.landed(transfer)
        if parcel.cut:
            return
        parcel.queueing_s += transfer.queueing_s
        if self.loss is not None and self.loss.lost(parcel.source, parcel.to, parcel.number, parcel.attempt):
            self.counts["lost"] += 1
            self._note("lost", parcel)
            timer = self.env.timeout(self.loss.wait_s(parcel.attempt))
            timer.callbacks.append(lambda _: self._again(parcel))
            return
        parcel.latency_s, parcel.landed_s = transfer.latency_s, self.env.now
        channel = self._channels[parcel.source, parcel.to]
        while channel and (latency_s := channel[0].latency_s) is not None:
            first = channel.popleft()
            first.queueing_s += self.env.now - first.landed_s
            self.deliver(first, latency_s)

    def _again(self, parcel: Parcel) -> None:
        if parcel.cut:
            return
        parcel.attempt += 1
        self.counts["retries"] += 1
        self.counts["retransmitted_bytes"] += int(parcel.payload.bytes[0])
        self._note("resend", parcel)
        self._transmit(parcel)

    def _note(self, op: str, parcel: Parcel) -> None:
        entry = {"op": op, "process": parcel.source, "to": parcel.to, "attempt": parcel.attempt}
        self.listener.entry(entry | {"size": int(parcel.payload.bytes[0])})
