"""Recursive halving, then recursive doubling: an all-reduce in 2 log2(w) exchanges (Rabenseifner).

With w = 2^k + rest ranks, `rest` odd ranks first fold their whole payload into the even rank before them, 2^k ranks
do the butterfly, and the folded ranks get the result back whole. An exchange starts when both partners are ready and
ends for both when both directions have arrived, so that no link ever carries two messages and each step is one vector
operation.

References
----------
Thakur, Rabenseifner, Gropp, "Optimization of collective communication operations in MPICH", IJHPCA 19(1), 2005,
section 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from network_models.fabric import Floats, Integers
from network_models.paths import Paths
from network_models.timing import Timing


@dataclass(frozen=True, eq=False)
class Exchange:
    """One step: rank r sends `sent_bytes[r]` to `partner[r]` where `sends[r]`; a rank that is its own partner sits
    out.

    Arrays have shape (w,); `reducing` says whether the step counts as uplink (it reduces) or as downlink.
    """

    partner: Integers
    sends: npt.NDArray[np.bool_]
    sent_bytes: Floats
    reducing: bool


def butterfly(sizes_bytes: Floats, merged: Callable[[int], float]) -> list[Exchange]:
    """Plan the exchanges for payloads of `sizes_bytes` (w,); `merged(count)` bytes hold `count` of them merged."""
    ranks = len(sizes_bytes)
    levels = ranks.bit_length() - 1
    rest = ranks - (1 << levels)
    numbers = np.arange(ranks)
    core = np.concatenate((numbers[: 2 * rest : 2], numbers[2 * rest :]))
    folded = numbers[1 : 2 * rest : 2]
    counts = np.ones(len(core), dtype=np.int64)
    counts[:rest] = 2
    exchanges = [_one_way(folded, folded - 1, sizes_bytes, True)] if rest else []
    position = np.arange(len(core))
    for level in range(1, levels + 1):
        other = position ^ (len(core) >> level)
        whole = _merged_bytes(counts, sizes_bytes[core], merged)
        exchanges.append(_pairs(ranks, core, other, whole / (1 << level), True))
        counts = counts + counts[other]
    result = merged(ranks) if ranks > 1 else 0.0
    for level in range(levels, 0, -1):
        other = position ^ (len(core) >> level)
        exchanges.append(_pairs(ranks, core, other, np.full(len(core), result / (1 << level)), False))
    if rest:
        exchanges.append(_one_way(folded - 1, folded, np.full(ranks, result), False))
    return exchanges


def run_butterfly(paths: Paths, workers: Integers, start: Floats, exchanges: list[Exchange]) -> Timing:
    """Time the exchanges between `workers` (rank = position) without simulating their messages."""
    ready, latency, busy = start, np.zeros(len(workers)), np.zeros((2, len(workers)))
    for exchange in exchanges:
        partner = exchange.partner
        delay = paths.latency_s(workers, workers[partner])
        transfer = delay + 8.0 * exchange.sent_bytes / paths.rate_bps(workers, workers[partner])
        sending = np.where(exchange.sends, transfer, 0.0)
        lasting = np.maximum(sending, sending[partner])
        busy[0 if exchange.reducing else 1] += lasting
        latency += np.where(exchange.sends | exchange.sends[partner], delay, 0.0)
        ready = np.maximum(ready, ready[partner]) + lasting
    return Timing.between(start, ready.copy(), busy[0], busy[1], latency)


def _pairs(ranks: int, core: Integers, other: Integers, sent_bytes: Floats, reducing: bool) -> Exchange:
    partner, sends, sizes = np.arange(ranks), np.zeros(ranks, dtype=bool), np.zeros(ranks)
    partner[core], sends[core], sizes[core] = core[other], True, sent_bytes
    return Exchange(partner, sends, sizes, reducing)


def _one_way(sources: Integers, destinations: Integers, sizes_bytes: Floats, reducing: bool) -> Exchange:
    ranks = len(sizes_bytes)
    partner, sends, sizes = np.arange(ranks), np.zeros(ranks, dtype=bool), np.zeros(ranks)
    partner[sources], partner[destinations] = destinations, sources
    sends[sources], sizes[sources] = True, sizes_bytes[sources]
    return Exchange(partner, sends, sizes, reducing)


def _merged_bytes(counts: Integers, own_bytes: Floats, merged: Callable[[int], float]) -> Floats:
    """Size of each rank's payload: its own until something was merged into it."""
    whole = own_bytes.astype(np.float64)
    for count in np.unique(counts).tolist():
        if count > 1:
            whole[counts == count] = merged(count)
    return whole
