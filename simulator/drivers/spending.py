"""Where the seconds of each worker of a co-simulation go: a worker waits for its own upload, a download, or others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from algorithms.ops import SERVER
from network_models import FluidNetwork, Transfer
from simulator.drivers.carrier import Parcel
from simulator.drivers.mailbox import Message
from simulator.moment import SPENT, Moment
from simulator.spans import SpanListener
from simulator.trace import Entry


class Spending:
    """Cumulative seconds of each worker, all of them up to any moment.

    A worker that neither computes nor encodes nor is away waits for a message: for its own upload first, for the
    download last, for others in between. Of each transfer the first part is latency, the last part queueing: without
    the others it would have been through by then. A message that is still on its way counts as one that moves all the
    time.

    Parameters
    ----------
    workers : int
    links : FluidNetwork
        Carries the messages.
    spans : SpanListener, optional
        Is told every span of time.

    Attributes
    ----------
    spent : dict of str to ndarray, shape (n,)
        By the kinds of `SPENT`; what a worker is in the middle of is not in it yet.
    """

    def __init__(self, workers: int, links: FluidNetwork, spans: SpanListener | None = None) -> None:
        self.links, self.spans = links, spans
        self.spent = {kind: np.zeros(workers) for kind in SPENT}
        self._uploaded = [(0.0, 0.0, 0.0, 0.0)] * workers  # latest: when it landed, what it took, latency, queueing
        self._since = {node: 0.0 for node in range(SERVER, workers)}  # up to when it is said what each node did
        self._doing: dict[int, str] = {}  # since then, where it does not wait

    def entry(self, entry: Entry) -> None:
        """Pass an op on, before its spans."""
        if self.spans is not None:
            self.spans.entry(entry)

    def mark(self, t: int, now: float, flying: Iterable[Parcel]) -> Moment:
        """Tell that round t has ended, and give the moment; `flying` are the messages on their way."""
        if self.spans is not None:
            self.spans.mark(t, now)
        spent = {kind: values.copy() for kind, values in self.spent.items()}

        def bill(worker: int, parts: dict[str, float]) -> None:
            for kind, seconds in parts.items():
                spent[kind][worker] += seconds

        self._unfinished(now, flying, bill)
        return Moment(now, spent, self.links.carried_bits.copy())

    def begins(self, node: int, kind: str, now: float) -> None:
        """Note that a node starts to compute or to encode."""
        self._since[node], self._doing[node] = now, kind

    def ends(self, node: int, now: float, seconds: float | None = None) -> None:
        """Bill a worker for what it began, or for `seconds` of it; the server's time is nobody's."""
        self._end(node, now, {self._doing.pop(node): now - self._since[node] if seconds is None else seconds})

    def leaves(self, worker: int, now: float, flying: Sequence[Parcel]) -> None:
        """Note that a worker is away from now on."""
        self._end(worker, now, self._so_far(worker, now, flying))
        self._doing[worker] = "away"

    def comes(self, worker: int, now: float) -> None:
        """Note that it is back."""
        self.ends(worker, now)

    def landed(self, transfer: Transfer) -> None:
        """Tell what a transmission has moved over its links."""
        if self.spans is not None:
            route = np.array(self.links.paths.fabric.route(transfer.source, transfer.destination), dtype=np.int64)
            bits = np.full(len(route), self.links.paths.bits(transfer.size_bytes))
            self.spans.moved(transfer.start_s, transfer.finish_s, route, bits)

    def carried(self, parcel: Parcel, latency_s: float, now: float) -> None:
        """Note a message that was handed over."""
        if parcel.source != SERVER:
            self._uploaded[parcel.source] = (now, now - parcel.sent_s, latency_s, parcel.queueing_s)

    def blocked(self, worker: int, now: float, message: Message) -> None:
        """Bill a worker that has waited for a message until now."""
        self._end(worker, now, self._wait(worker, now, message.transfer_s, message.latency_s, message.queueing_s))

    def close(self, now: float, flying: Iterable[Parcel]) -> None:
        """Bill everybody for what it was in the middle of when the run ended."""
        self._unfinished(now, flying, lambda worker, parts: self._end(worker, now, parts))

    def _unfinished(self, now: float, flying: Iterable[Parcel], bill: Callable[[int, dict[str, float]], None]) -> None:
        of: defaultdict[int, list[Parcel]] = defaultdict(list)
        for parcel in flying:
            of[parcel.source].append(parcel)
            of[parcel.to].append(parcel)
        for worker in range(len(self._uploaded)):
            bill(worker, self._so_far(worker, now, of[worker]))

    def _so_far(self, worker: int, now: float, flying: Sequence[Parcel]) -> dict[str, float]:
        """Give the parts of what a worker is in the middle of."""
        if (kind := self._doing.get(worker)) is not None:
            return {kind: now - self._since[worker]}
        coming = min((parcel.sent_s for parcel in flying if parcel.to == worker), default=now)
        leaving = any(parcel.source == worker for parcel in flying)
        return self._wait(worker, now, now - coming, 0.0, 0.0, leaving)

    def _wait(
        self, worker: int, now: float, transfer_s: float, latency_s: float, queueing_s: float, leaving: bool = False
    ) -> dict[str, float]:
        """Give the parts of a wait until now, at whose end a download took `transfer_s`."""
        since, (at, took, up_latency_s, up_queueing_s) = self._since[worker], self._uploaded[worker]
        seconds = now - since
        upload = seconds if leaving else min(max(at - since, 0.0), seconds)
        download = min(seconds - upload, transfer_s)
        parts = {"uplink": upload, "waiting": seconds - upload - download, "downlink": download}
        up, down = (0.0 if leaving else min(upload, up_queueing_s)), min(download, queueing_s)
        parts |= {"uplink_queue": up, "downlink_queue": down, "queue": up + down}
        up = 0.0 if leaving else min(max(upload - (took - up_latency_s), 0.0), upload - up)
        down = min(max(download - (transfer_s - latency_s), 0.0), download - down)
        return parts | {"uplink_latency": up, "downlink_latency": down, "latency": up + down}

    def _end(self, node: int, now: float, parts: dict[str, float]) -> None:
        """Bill a worker for all since it was billed last, and tell it as spans, the last one until `now`."""
        begin, self._since[node] = self._since[node], now
        if node != SERVER:
            for kind, seconds in parts.items():
                self.spent[kind][node] += seconds
        if self.spans is None:
            return
        up, down = parts.get("uplink_queue", 0.0), parts.get("downlink_queue", 0.0)
        told = [("server" if node == SERVER else kind, seconds) for kind, seconds in parts.items()]
        if "waiting" in parts:
            told = [("uplink", parts["uplink"] - up), ("queue", up), ("wait", parts["waiting"])]
            told += [("downlink", parts["downlink"] - down), ("queue", down)]
        for kind, seconds in told:
            end = min(begin + seconds, now)
            self.spans.span(kind, np.array([node]), np.array([begin]), np.array([end]))
            begin = end
