"""How long a connection idles in set-up and slow start, in closed form.

From a window of W bytes that doubles every round trip, a sender waits in round k for RTT - W 2^k / B until the first
acknowledgement of the round is back, as long as W 2^k is less than the path holds (B RTT) and there is more to send.

References
----------
Cardwell, Savage, Anderson, "Modeling TCP latency", INFOCOM 2000, section II-C; RFC 5681 sections 3.1 and 4.1; RFC
6928 (initial window of 10 segments).
"""

from __future__ import annotations

import numpy as np

from network_models.fabric import Floats

_EXACT = 1e-12  # a message that fills a round to rounding needs no further one
_FORGOTTEN = 1000.0  # so many halvings leave nothing of any window, even an unlimited one


def slow_start_s(wire_bytes: Floats, window_bytes: Floats | float, round_trip_s: Floats, path_bps: Floats) -> Floats:
    """Sum the seconds in which a sender waits for its window to open, beyond the time that its bits need.

    Parameters
    ----------
    wire_bytes : ndarray, shape (m,)
        What each message has to send.
    window_bytes : ndarray, shape (m,), or float
        The window that it starts with, positive.
    round_trip_s, path_bps : ndarray, shape (m,)
        Of its path, the rate perhaps infinite.

    Returns
    -------
    ndarray, shape (m,)

    Notes
    -----
    Rounds that wait: r = min(ceil(log2(B RTT / W)), ceil(log2(S / W + 1)) - 1), at least 0; they take r RTT - W (2^r -
    1) / B.
    """
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        to_fill = np.ceil(np.log2(path_bps * round_trip_s / (8.0 * window_bytes)) - _EXACT)
        to_send = np.ceil(np.log2(wire_bytes / window_bytes + 1.0) - _EXACT) - 1.0
        rounds = np.maximum(np.minimum(to_fill, to_send), 0.0)
        sending = 8.0 * window_bytes * (np.exp2(rounds) - 1.0) / path_bps
        return np.where(rounds > 0, rounds * round_trip_s - sending, 0.0)


def window_after_idle(open_bytes: Floats, initial_bytes: float, idle_s: Floats, timeout_s: Floats) -> Floats:
    """Halve an open window once for each retransmission timeout of idleness, down to the initial one; elementwise.

    Infinite idleness (a connection never used) leaves the initial window.
    """
    halvings = np.minimum(np.floor(idle_s / timeout_s), _FORGOTTEN)
    return np.where(halvings < _FORGOTTEN, np.maximum(open_bytes * np.exp2(-halvings), initial_bytes), initial_bytes)
