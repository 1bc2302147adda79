"""Which all-reduce is cheapest for a call? Closed forms with the slowest participant's link."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from network_models.fabric import SERVER, Floats, Integers
from network_models.paths import Paths, hot_bps


def cheapest_all_reduce(paths: Paths, workers: Integers, sizes_bytes: Floats, merged: Callable[[int], float]) -> str:
    """Name the schedule with the least closed-form time: `ring`, `halving_doubling` or `server` (ties go to the
    first).

    Notes
    -----
    With w ranks, path latency a, rate B (bits/s), M(c) bits after c payloads were merged (M(1) = the largest payload):
    ring = 2 (w-1) a + [sum of M(1..w-1) + (w-1) M(w)] / (w B); halving-doubling = 2 log2(w) a + [sum of M(2^(k-1)) /
    2^k + (1 - 2^-levels) M(w)] / B, and 2 a + [M(1) + M(w)] / B more for the fold; server = 2 (a1 + M max(1 / B1, w /
    Bserver)).
    """
    ranks = len(workers)
    if ranks == 1:
        return "ring"
    here, there = workers, np.roll(workers, -1)
    rate, alpha = float(paths.rate_bps(here, there).min()), float(paths.latency_s(here, there).max())
    bits = [8.0 * float(sizes_bytes.max()), *(8.0 * merged(count) for count in range(2, ranks + 1))]

    ring = 2 * (ranks - 1) * alpha + (sum(bits[:-1]) + (ranks - 1) * bits[-1]) / (ranks * rate)

    levels = ranks.bit_length() - 1
    folds = ranks > 1 << levels
    halving = 2 * levels * alpha + (1.0 - 0.5**levels) * bits[-1] / rate
    for level in range(1, levels + 1):
        halving += bits[min((1 << level - 1) * (2 if folds else 1), ranks) - 1] / (1 << level) / rate
    if folds:
        halving += 2 * alpha + (bits[0] + bits[-1]) / rate

    to_server = 1.0 / min(float(paths.rate_bps(here, SERVER).min()), hot_bps(paths, 0, SERVER) / ranks)
    from_server = 1.0 / min(float(paths.rate_bps(SERVER, here).min()), hot_bps(paths, SERVER, 0) / ranks)
    ways = float(paths.latency_s(here, SERVER).max()) + float(paths.latency_s(SERVER, here).max())
    server = ways + bits[0] * to_server + bits[-1] * from_server

    times = {"ring": ring, "halving_doubling": halving, "server": server}
    return min(times, key=times.__getitem__)
