"""QUIC: TCP's congestion control over UDP, with nothing to set up between nodes that have met before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from network_models.fabric import Floats
from network_models.transports.contract import UNUSED_S
from network_models.transports.settings import durations
from network_models.transports.tcp import Tcp
from network_models.units import seconds


@dataclass(frozen=True)
class Quic:
    """A first contact pays one round trip, encryption included; a closed connection resumes with none (0-RTT).

    Parameters
    ----------
    frame_bytes, payload_bytes : float
        Of a full packet: 1514 on Ethernet carry 1437 of the message after IP (20), UDP (8), the short header (11), the
        frame header (8) and the tag (16).
    window_bytes, initial_segments, timeout_floor_s, loss_model, segments_per_ack
        As for `Tcp`.
    close_after_s : float, str or None
        Idle longer than this, a connection is closed: the next message starts at once, in slow start.

    References
    ----------
    RFC 9000 sections 5.6 and 17.3; RFC 9001 section 4.6 (0-RTT); RFC 9002 section 7 (initial window of 10 packets).
    """

    name: ClassVar[str] = "quic"
    remembers: ClassVar[bool] = True

    frame_bytes: float = 1514.0
    payload_bytes: float = 1437.0
    window_bytes: float | None = 3e6
    initial_segments: float = 10.0
    timeout_floor_s: float | str = 0.2
    close_after_s: float | str | None = 30.0
    loss_model: str = "pftk"
    segments_per_ack: float = 2.0

    def __post_init__(self) -> None:
        durations(self, "close_after_s")
        _ = self._tcp  # which checks the rest

    @cached_property
    def _tcp(self) -> Tcp:
        """The same over TCP; a connection once used is never set up again."""
        return Tcp(
            frame_bytes=self.frame_bytes,
            payload_bytes=self.payload_bytes,
            window_bytes=self.window_bytes,
            initial_segments=self.initial_segments,
            timeout_floor_s=self.timeout_floor_s,
            loss_model=self.loss_model,
            segments_per_ack=self.segments_per_ack,
        )

    def wire_bytes(self, size_bytes: Floats) -> Floats:
        """The message and its share of headers."""
        return self._tcp.wire_bytes(size_bytes)

    def latency_s(self, latency_s: Floats) -> Floats:
        """The path's."""
        return latency_s

    def capacity_bps(self, capacity_bps: Floats) -> Floats:
        """All of it."""
        return capacity_bps

    def ceiling_bps(self, latency_s: Floats, loss: Floats) -> Floats:
        """Window per round trip, and the loss model's rate."""
        return self._tcp.ceiling_bps(latency_s, loss)

    def stall_s(self, size_bytes: Floats, latency_s: Floats, path_bps: Floats, idle_s: Floats) -> Floats:
        """One round trip at first contact, and slow start; after a pause slow start only."""
        if self.close_after_s is not None:
            closed = (idle_s > seconds(self.close_after_s)) & np.isfinite(idle_s)
            idle_s = np.where(closed, UNUSED_S, idle_s)
        return self._tcp.stall_s(size_bytes, latency_s, path_bps, idle_s)
