"""What a run costs at the user's prices, in money and in energy, part by part, at every mark."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from simulator.answers.runs import Finished, Floats
from simulator.moment import ADDED

_JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True)
class Prices:
    """What things cost; what is 0 costs nothing.

    Parameters
    ----------
    worker_hour, server_hour : float
        Money for each worker's, and for the one server's hour, busy or not. A worker that is away is not paid for.
    gb_up, gb_down : float
        Money for 1e9 bytes of payload that leave workers, and that enter them.
    compute_w, communicate_w, idle_w : float
        Watts of a worker that computes or compresses; that sends or receives; and that waits.
    server_w : float
        Watts of the server, all the time.
    joule_per_bit : float
        Of every bit that leaves or enters a worker.
    kwh : float
        Money for a kilowatt-hour of all that energy.

    Raises
    ------
    ValueError
        If a price is negative or not finite, or all are 0.
    """

    worker_hour: float = 0.0
    server_hour: float = 0.0
    gb_up: float = 0.0
    gb_down: float = 0.0
    compute_w: float = 0.0
    communicate_w: float = 0.0
    idle_w: float = 0.0
    server_w: float = 0.0
    joule_per_bit: float = 0.0
    kwh: float = 0.0

    def __post_init__(self) -> None:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if not 0 <= value < math.inf:
                raise ValueError(f"{name}: expected a price of at least 0, got {value!r}")
        if not any(values.values()):
            raise ValueError(f"prices: expected one of {', '.join(values)}, got none")

    @property
    def energetic(self) -> bool:
        """Whether energy has been asked for."""
        return any((self.compute_w, self.communicate_w, self.idle_w, self.server_w, self.joule_per_bit))


@dataclass(frozen=True)
class Usage:
    """What a run has used by each of its m marks, over all n workers.

    Parameters
    ----------
    seconds : ndarray, shape (m,)
        Simulated.
    spent : mapping of str to ndarray, shape (m,)
        Worker-seconds of each kind of `simulator.moment.ADDED`.
    up_bytes, down_bytes : ndarray, shape (m,)
        Payload that has left and entered workers.
    """

    seconds: Floats
    spent: Mapping[str, Floats]
    up_bytes: Floats
    down_bytes: Floats

    @classmethod
    def recorded(cls, run: Finished) -> Usage:
        """Read it off a run, as it was recorded: also of a racy one."""
        table = run.folder.read_table("timeline")
        spent = {kind: np.array(table[f"{kind}_s"].to_pylist()) for kind in ADDED if f"{kind}_s" in table.column_names}
        return cls.of(run, run.seconds, spent)

    @classmethod
    def of(cls, run: Finished, seconds: Floats, spent: Mapping[str, Floats]) -> Usage:
        """Join a run's bytes with another clock: `spent` by mark and worker, as `timing.spent_at_marks` gives it."""
        summed = {kind: values.sum(axis=1) for kind, values in spent.items() if kind in ADDED}
        return cls(seconds, summed, run.column("uplink_wire_bytes"), run.column("downlink_wire_bytes"))


def money(usage: Usage, prices: Prices) -> dict[str, Floats]:
    """Give what has been paid by each mark, shape (m,), by part; the parts add up to ``total``."""
    present = sum((usage.spent[kind] for kind in usage.spent if kind != "away"), np.zeros_like(usage.seconds))
    parts = {
        "workers": prices.worker_hour * present / 3600,
        "server": prices.server_hour * usage.seconds / 3600,
        "up": prices.gb_up * usage.up_bytes / 1e9,
        "down": prices.gb_down * usage.down_bytes / 1e9,
        "energy": prices.kwh * energy(usage, prices)["total"] / _JOULES_PER_KWH,
    }
    return parts | {"total": np.sum(list(parts.values()), axis=0)}


def energy(usage: Usage, prices: Prices) -> dict[str, Floats]:
    """Give the joules used by each mark, shape (m,), by part; the parts add up to ``total``."""
    nothing = np.zeros_like(usage.seconds)

    def spent(*kinds: str) -> Floats:
        return sum((usage.spent.get(kind, nothing) for kind in kinds), nothing)

    parts = {
        "computing": prices.compute_w * spent("compute", "encode"),
        "communicating": prices.communicate_w * spent("uplink", "downlink"),
        "idle": prices.idle_w * spent("waiting"),
        "server": prices.server_w * usage.seconds,
        "bits": prices.joule_per_bit * 8 * (usage.up_bytes + usage.down_bytes),
    }
    return parts | {"total": np.sum(list(parts.values()), axis=0)}
