"""Where a fluid model is right, and a warning where it is not: it knows no packets, so it cannot lose any.

Two things make it far too fast: many senders into one port whose buffer cannot hold what they send at once, and loss
that a transport does not price, or prices badly. Each is said once for each network.
"""

from __future__ import annotations

import warnings

import numpy as np

from network_models.fabric import Fabric, Integers
from network_models.transports.contract import Transport
from network_models.units import real

BURST_BYTES = 15_020.0  # 10 packets, the initial window: what a sender has in flight before it hears of any loss
HEAVY_LOSS = 0.02
_ASKED = 256


class OutsideFluidRegime(UserWarning):
    """A simulated time that a fluid model cannot be trusted with."""


class Regime:
    """Watches what messages meet, and warns at the first of each kind that is outside the fluid regime.

    Parameters
    ----------
    fabric : Fabric
    transport : Transport
    buffer_bytes : float or None
        What a port can hold of packets that wait; deep enough for everything if None.

    Raises
    ------
    ValueError
        If `buffer_bytes` is not a number of at least 0.

    Notes
    -----
    Incast: N senders of S bytes each lose packets, and those that lose the tail of their window wait for a timeout of
    200 ms or more, when N min(S, 10 packets) > B RTT + buffer. Measured with 7 senders of 100 kB into a port of 100
    Mbit/s (ideal 58.6 ms): 60 ms with a buffer of 150 kB, 60 to 233 ms with 50 kB, 270 ms with 20 kB.
    """

    def __init__(self, fabric: Fabric, transport: Transport, buffer_bytes: float | None = None) -> None:
        if buffer_bytes is not None and not real(buffer_bytes) >= 0:
            raise ValueError(
                f"network.buffer_bytes: expected a number of bytes of at least 0 or null, got {buffer_bytes!r}"
            )
        self._fabric, self._transport, self._buffer_bytes = fabric, transport, buffer_bytes
        self._lossless: bool | None = None
        self._said: set[str] = set()

    def meet(self, source: int, destination: int, senders: int, size_bytes: float) -> None:
        """Look at a message that is on its way to `destination` together with those of `senders - 1` others."""
        if self._buffer_bytes is not None and senders > 1:
            self._crowd(source, destination, senders, size_bytes)
        if not self.quiet:
            self._loss(float(self._fabric.path_loss(source, destination)))

    def watch(self, source: Integers, destination: Integers, size_bytes: float) -> None:
        """Look at messages that are under way at the same time, the largest of `size_bytes`; shapes (m,)."""
        if not len(source):
            return
        if self._buffer_bytes is not None and size_bytes:
            values, first, counts = np.unique(destination, return_index=True, return_counts=True)
            most = int(counts.argmax())
            if counts[most] > 1:
                self._crowd(int(source[first[most]]), int(values[most]), int(counts[most]), size_bytes)
        if not self.quiet:
            self._loss(float(np.max(self._fabric.path_loss(source, destination))))

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to be said of loss, or it was said."""
        if self._lossless is None:
            fabric = self._fabric
            # Routes of ten thousand workers cost more than a round of theirs: ask some of each part of them.
            workers = np.unique(np.linspace(0, fabric.workers - 1, _ASKED).astype(np.int64))
            ends = ([-1] if fabric.servers else []) + ([np.roll(workers, -1)] if len(workers) > 1 else [])
            self._lossless = all(not np.any(fabric.path_loss(workers, end)) for end in ends)
        return self._lossless or "loss" in self._said

    @property
    def silent(self) -> bool:
        """Whether there is nothing to be said of any message."""
        return self._buffer_bytes is None and self.quiet

    def _loss(self, loss: float) -> None:
        priced = float(self._transport.ceiling_bps(np.array(0.05), np.array(0.1))) < float(
            self._transport.ceiling_bps(np.array(0.05), np.array(0.0))
        )
        if loss > 0 and not priced:
            self._say(
                "loss",
                f"packets are lost on the way (loss {loss:g}) but transport '{self._transport.name}' does not feel it: "
                "real flows are slower, up to 40 times; use transport=tcp, which bounds their rate",
            )
        elif loss > HEAVY_LOSS:
            self._say(
                "loss",
                f"loss of {loss:g} is above {HEAVY_LOSS:g}: timeouts decide, and single transfers take 2 to 40 times "
                "what a fluid model says; trust orders of magnitude only, or measure",
            )

    def _crowd(self, source: int, destination: int, senders: int, size_bytes: float) -> None:
        if "incast" in self._said or self._buffer_bytes is None:
            return
        route = self._fabric.route(source, destination)
        if not route:
            return
        rate = float(self._fabric.capacity_bps[route[-1]])
        holds = 2.0 * float(self._fabric.path_latency_s(source, destination)) * rate / 8.0 + self._buffer_bytes
        burst = senders * min(size_bytes, BURST_BYTES)
        if burst > holds:
            self._say(
                "incast",
                f"{senders} senders into {self._fabric.label(route[-1])} have {burst:.0f} bytes in flight at once, path"
                f" and buffer (buffer_bytes={self._buffer_bytes:g}) hold {holds:.0f}: packets are lost and senders "
                "wait for timeouts of 200 ms and more. Real times are 2 to 40 times what a fluid model says; let fewer "
                "send at once, give the port a larger buffer, or do not trust this time",
            )

    def _say(self, kind: str, text: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            warnings.warn(text, OutsideFluidRegime, stacklevel=2)
