"""The rate that one TCP flow reaches under random loss of packets, in segments per second; elementwise.

References
----------
Mathis, Semke, Mahdavi, Ott, "The macroscopic behavior of the TCP congestion avoidance algorithm", CCR 27(3), 1997,
equation 3. Padhye, Firoiu, Towsley, Kurose, "Modeling TCP throughput: a simple model and its empirical validation",
SIGCOMM 1998, equation 30. RFC 8312 section 5.1 for CUBIC.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from network_models.fabric import Floats


def mathis(round_trip_s: Floats, loss: Floats, timeout_s: Floats, per_ack: float) -> Floats:
    """Reno without timeouts: sqrt(3 / (2 b p)) / RTT, b segments per acknowledgement.

    The constant is 1.22 at b = 1 and 0.87 at b = 2. Too fast above 1 or 2 % of loss.
    """
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(np.sqrt(1.5 / (per_ack * loss)) / round_trip_s)


def pftk(round_trip_s: Floats, loss: Floats, timeout_s: Floats, per_ack: float) -> Floats:
    """Reno with timeouts T0: 1 / (RTT sqrt(2bp/3) + T0 min(1, 3 sqrt(3bp/8)) p (1 + 32 p^2))."""
    with np.errstate(divide="ignore", over="ignore"):
        timeouts = np.minimum(1.0, 3.0 * np.sqrt(0.375 * per_ack * loss)) * loss * (1.0 + 32.0 * loss**2)
        return 1.0 / (round_trip_s * np.sqrt(per_ack * loss / 1.5) + timeout_s * timeouts)


def cubic(round_trip_s: Floats, loss: Floats, timeout_s: Floats, per_ack: float) -> Floats:
    """CUBIC with C = 0.4 and a back-off to 0.7: (0.4 3.7 / 1.2)^(1/4) (RTT / p)^(3/4) segments per RTT, or `mathis`.

    It never does worse than Reno would, and does better where bandwidth times delay is large.
    """
    with np.errstate(divide="ignore", over="ignore"):
        window = (0.4 * 3.7 / 1.2) ** 0.25 * (round_trip_s / loss) ** 0.75
        return np.asarray(np.maximum(window / round_trip_s, mathis(round_trip_s, loss, timeout_s, per_ack)))


LossModel = Callable[[Floats, Floats, Floats, float], Floats]
LOSS_MODELS: dict[str, LossModel] = {"pftk": pftk, "mathis": mathis, "cubic": cubic}
