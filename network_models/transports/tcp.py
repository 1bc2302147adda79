"""TCP in closed form: headers, connection set-up, slow start, the window per round trip, and loss."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from network_models.fabric import Floats
from network_models.transports.congestion import Congestion
from network_models.transports.contract import UNUSED_S
from network_models.transports.loss import LOSS_MODELS
from network_models.transports.settings import chosen, durations, positive
from network_models.units import seconds


@dataclass(frozen=True)
class Tcp:
    """A message pays headers; a new connection pays its set-up and slow start; window and loss bound the rate.

    Parameters
    ----------
    frame_bytes, payload_bytes : float
        Of a full packet, on the wire and of the message: 1502 and 1448 are what ns-3 counts; 1514 carry them on real
        Ethernet (time stamps in the header), 9038 and 8948 in jumbo frames. Their ratio multiplies every size.
    setup_round_trips : float
        Round trips before the first byte of a connection between two nodes: 1, and 2 with TLS 1.3.
    window_bytes : float or None
        The most in flight: Linux grows to about 3 MB by itself. Less is slower on long paths; None is no limit.
    initial_segments : float
        The window of a new connection; it doubles every round trip.
    timeout_floor_s : float or str
        The retransmission timeout is the round trip plus this; an idle connection halves its window once for each.
    close_after_s : float, str or None
        Idle longer than this, a connection is closed, and the next message sets it up anew; None never closes it.
    loss_model : {'pftk', 'mathis', 'cubic'}
        The ceiling of a flow on a path with loss: Reno with timeouts, Reno without, CUBIC.
    segments_per_ack : float
        Segments that one acknowledgement confirms, in the loss models: 2, or 1 without delayed acknowledgements.

    Raises
    ------
    ValueError
        If a setting is out of range, naming it.

    Notes
    -----
    A small message on a new connection takes three one-way latencies. Left out: acknowledgements' share of the other
    direction (2 %), retransmitted bytes, the growth of the window by small messages (a connection once used counts as
    open until it is idle), and unequal shares of flows with unequal round trips.
    """

    name: ClassVar[str] = "tcp"
    remembers: ClassVar[bool] = True

    frame_bytes: float = 1502.0
    payload_bytes: float = 1448.0
    setup_round_trips: float = 1.0
    window_bytes: float | None = 3e6
    initial_segments: float = 10.0
    timeout_floor_s: float | str = 0.2
    close_after_s: float | str | None = None
    loss_model: str = "pftk"
    segments_per_ack: float = 2.0

    def __post_init__(self) -> None:
        positive(self, "payload_bytes", "window_bytes", "initial_segments", "segments_per_ack")
        positive(self, "frame_bytes", low=self.payload_bytes)
        positive(self, "setup_round_trips", low=0.0)
        durations(self, "timeout_floor_s", "close_after_s")
        chosen(self, "loss_model", LOSS_MODELS)

    @cached_property
    def congestion(self) -> Congestion:
        """The sender's window."""
        return Congestion(
            self.frame_bytes,
            np.inf if self.window_bytes is None else self.window_bytes,
            self.initial_segments,
            seconds(self.timeout_floor_s),
            self.loss_model,
            self.segments_per_ack,
        )

    def wire_bytes(self, size_bytes: Floats) -> Floats:
        """The message and its share of headers."""
        return size_bytes * (self.frame_bytes / self.payload_bytes)

    def latency_s(self, latency_s: Floats) -> Floats:
        """The path's."""
        return latency_s

    def capacity_bps(self, capacity_bps: Floats) -> Floats:
        """All of it."""
        return capacity_bps

    def ceiling_bps(self, latency_s: Floats, loss: Floats) -> Floats:
        """Window per round trip, and the loss model's rate."""
        return self.congestion.ceiling_bps(latency_s, loss)

    def stall_s(self, size_bytes: Floats, latency_s: Floats, path_bps: Floats, idle_s: Floats) -> Floats:
        """Set-up of a new or closed connection, and slow start."""
        if self.close_after_s is not None:
            closed = (idle_s > seconds(self.close_after_s)) & (idle_s < UNUSED_S / 2)
            idle_s = np.where(closed, np.inf, idle_s)
        setup = np.where(np.isinf(idle_s), self.setup_round_trips * 2.0 * latency_s, 0.0)
        return setup + self.congestion.slow_start_s(self.wire_bytes(size_bytes), latency_s, path_bps, idle_s)
