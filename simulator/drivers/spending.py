"""Where the seconds of each worker of a co-simulation go: a worker waits for its own upload, a download, or others."""

from __future__ import annotations

import numpy as np

from algorithms.ops import SERVER
from network_models import FluidNetwork, Transfer
from simulator.drivers.mailbox import Message
from simulator.moment import SPENT, Moment
from simulator.spans import SpanListener
from simulator.trace import Entry


class Spending:
    """Cumulative seconds of each worker.

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
        By the kinds of `SPENT`.
    """

    def __init__(self, workers: int, links: FluidNetwork, spans: SpanListener | None = None) -> None:
        self.links, self.spans = links, spans
        self.spent = {kind: np.zeros(workers) for kind in SPENT}
        self._uploaded, self._queued = np.zeros((2, workers))
        self._told = {node: 0.0 for node in range(SERVER, workers)}  # up to when spans say what each node did
        self._doing: dict[int, str] = {}

    def moment(self, now: float) -> Moment:
        """Copy the present state."""
        spent = {kind: values.copy() for kind, values in self.spent.items()}
        return Moment(now, spent, self.links.carried_bits.copy())

    def entry(self, entry: Entry) -> None:
        """Pass an op on, before its spans."""
        if self.spans is not None:
            self.spans.entry(entry)

    def mark(self, t: int, now: float) -> Moment:
        """Tell that round t has ended, and give the moment."""
        if self.spans is not None:
            self.spans.mark(t, now)
        return self.moment(now)

    def begins(self, node: int, kind: str, now: float) -> None:
        """Note that a node starts to compute or to encode."""
        self._told[node], self._doing[node] = now, kind

    def ends(self, node: int, now: float, seconds: float | None = None) -> None:
        """Bill a worker for what it began, or for `seconds` of it; the server's time is nobody's."""
        kind = self._doing.pop(node)
        if node != SERVER:
            self.spent[kind][node] += now - self._told[node] if seconds is None else seconds
        self._tell(node, now, ("server" if node == SERVER else kind, now - self._told[node]))

    def leaves(self, worker: int, now: float) -> None:
        """Note that a worker is away from now on; what it waited for is never billed."""
        self._tell(worker, now, ("wait", now - self._told[worker]))
        self._doing[worker] = "away"

    def comes(self, worker: int, now: float) -> None:
        """Note that it is back."""
        self._tell(worker, now, (self._doing.pop(worker, "wait"), now - self._told[worker]))

    def landed(self, transfer: Transfer) -> None:
        """Tell what a transmission has moved over its links."""
        if self.spans is not None:
            route = np.array(self.links.paths.fabric.route(transfer.source, transfer.destination), dtype=np.int64)
            bits = np.full(len(route), self.links.paths.bits(transfer.size_bytes))
            self.spans.moved(transfer.start_s, transfer.finish_s, route, bits)

    def carried(self, source: int, to: int, seconds: float, latency_s: float, queueing_s: float) -> None:
        """Count a message that took `seconds`, of them `latency_s` to propagate and `queueing_s` owed to others."""
        if source != SERVER:
            self._uploaded[source] += seconds
            self._queued[source] += queueing_s
            self._bill(source, uplink=seconds, uplink_queue=queueing_s, queue=queueing_s)
            self._bill(source, uplink_latency=latency_s, latency=latency_s)
        if to != SERVER:
            self._bill(to, downlink_latency=latency_s, latency=latency_s)

    def uploads(self, node: int) -> tuple[float, float]:
        """Seconds that messages from a worker took so far, and the queueing in them."""
        return (0.0, 0.0) if node == SERVER else (float(self._uploaded[node]), float(self._queued[node]))

    def blocked(self, worker: int, began: float, now: float, before: tuple[float, float], message: Message) -> None:
        """Count a worker's waiting for a message; `before` is what `uploads` gave as that began.

        Its own uploads in between come first, the message's time last, and what is left in the middle is waiting. Of
        each transfer the last part is queueing: without the others it would have been through by then.
        """
        seconds = now - began
        upload = min(seconds, float(self._uploaded[worker]) - before[0])
        download = min(seconds - upload, message.transfer_s)
        waiting = seconds - upload - download
        up, down = min(upload, float(self._queued[worker]) - before[1]), min(download, message.queueing_s)
        self._bill(worker, downlink=download, downlink_queue=down, queue=down, waiting=waiting)
        self._told[worker] = began
        sent = (("uplink", upload - up), ("queue", up), ("wait", waiting))
        self._tell(worker, now, *sent, ("downlink", download - down), ("queue", down))

    def close(self, now: float) -> None:
        """Tell what everybody was in the middle of when the run ended."""
        for node in [node for node in self._told if node != SERVER]:
            kind = self._doing.get(node, "wait")
            self._tell(node, now, (kind, now - self._told[node]))

    def _bill(self, worker: int, **seconds: float) -> None:
        for kind, spent in seconds.items():
            self.spent[kind][worker] += spent

    def _tell(self, node: int, until: float, *parts: tuple[str, float]) -> None:
        """Tell what a node has done since it was last told, one thing after another, the last one until `until`."""
        begin, self._told[node] = self._told[node], until
        if self.spans is not None:
            for kind, seconds in parts:
                end = min(begin + seconds, until)
                self.spans.span(kind, np.array([node]), np.array([begin]), np.array([end]))
                begin = end
