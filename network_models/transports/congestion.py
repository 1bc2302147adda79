"""Congestion control that TCP and QUIC have in common: the window, slow start, and what loss leaves of the rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from network_models.fabric import Floats
from network_models.transports.loss import LOSS_MODELS
from network_models.transports.slow_start import slow_start_s, window_after_idle


@dataclass(frozen=True)
class Congestion:
    """The sender's window, in bytes on the wire.

    Parameters
    ----------
    segment_bytes : float
        A full packet on the wire.
    window_bytes : float
        The most in flight, infinite if nothing limits it.
    initial_segments : float
        The window of a new connection.
    timeout_floor_s : float
        What the retransmission timeout adds to the round trip.
    loss_model : {'pftk', 'mathis', 'cubic'}
    segments_per_ack : float
    """

    segment_bytes: float
    window_bytes: float
    initial_segments: float
    timeout_floor_s: float
    loss_model: str
    segments_per_ack: float

    def ceiling_bps(self, latency_s: Floats, loss: Floats) -> Floats:
        """Window per round trip, or what loss leaves; infinite where neither limits. Elementwise."""
        latency, loss = np.broadcast_arrays(np.asarray(latency_s, dtype=float), np.asarray(loss, dtype=float))
        round_trip = 2.0 * latency
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            windows = np.where(round_trip > 0, 8.0 * self.window_bytes / round_trip, np.inf)
            if not loss.any():
                return windows
            segments = LOSS_MODELS[self.loss_model](
                round_trip, loss, round_trip + self.timeout_floor_s, self.segments_per_ack
            )
        return np.minimum(windows, np.where(loss > 0, 8.0 * self.segment_bytes * segments, np.inf))

    def slow_start_s(self, wire_bytes: Floats, latency_s: Floats, path_bps: Floats, idle_s: Floats) -> Floats:
        """Seconds lost to the opening of the window after `idle_s`, infinite for a new connection. Elementwise.

        A connection that was used is taken to have opened its window to the path's bandwidth times round trip.
        """
        round_trip = 2.0 * latency_s
        timeout = round_trip + self.timeout_floor_s
        if (idle_s < timeout).all():
            return np.zeros(np.shape(idle_s))  # all windows are open
        with np.errstate(invalid="ignore"):
            opened = np.minimum(np.nan_to_num(path_bps * round_trip / 8.0, nan=np.inf), self.window_bytes)
        initial = self.initial_segments * self.segment_bytes
        window = window_after_idle(opened, initial, idle_s, timeout)
        return slow_start_s(wire_bytes, window, round_trip, path_bps)
