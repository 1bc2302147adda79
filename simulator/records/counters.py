"""Counts the bits that leave and enter workers: wire, paper and entropy, each split into parts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from algorithms.payloads import Bits, Payload

DIRECTIONS = ("uplink", "downlink")
COUNTERS = ("wire", "paper", "entropy")
PARTS = ("values", "indices", "scales", "header")


def tally(payload: Payload) -> Tensor:
    """Tabulate a payload's rows: bytes, then the parts of each counter, shape (w, 13), float64.

    Where the paper gives no formula its columns are NaN.
    """
    columns = [payload.bytes]
    for counter in COUNTERS:
        bits: Bits | None = getattr(payload, counter)
        columns += [np.full(payload.rows, np.nan) if bits is None else getattr(bits, part) for part in PARTS]
    return torch.from_numpy(np.stack([np.broadcast_to(c, payload.rows).astype(np.float64) for c in columns], axis=1))


def sizes(table: Tensor) -> int | list[int]:
    """Read the bytes of each row off a `tally`; equal sizes become one number."""
    column = table[:, 0].to(torch.int64)
    first = int(column[0])
    return first if bool((column == first).all()) else column.tolist()


class Counters:
    """Cumulative totals over all workers.

    A paper's count is None from the first message on that has no formula.
    """

    def __init__(self) -> None:
        self.totals = {
            direction: torch.zeros(1 + len(COUNTERS) * len(PARTS), dtype=torch.float64) for direction in DIRECTIONS
        }

    def add(self, direction: str, table: Tensor, copies: int = 1) -> None:
        """Count every row of a `tally` `copies` times."""
        self.totals[direction] += table.sum(0) * copies

    def columns(self) -> dict[str, Any]:
        """Give the totals as the columns of a metrics row."""
        row: dict[str, Any] = {f"{d}_wire_bytes": int(self.totals[d][0]) for d in DIRECTIONS}
        for direction in DIRECTIONS:
            for i, counter in enumerate(COUNTERS):
                parts = self.totals[direction][1 + i * len(PARTS) : 1 + (i + 1) * len(PARTS)].tolist()
                known = not any(math.isnan(part) for part in parts)
                row[f"{direction}_{counter}_bits"] = math.fsum(parts) if known else None
                for name, part in zip(PARTS, parts, strict=True):
                    row[f"{direction}_{counter}_{name}_bits"] = part if known else None
        return row
