"""The figures by name: what stands on each axis, and how a run's own columns become it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from figures.runs import Run


@dataclass(frozen=True)
class Axis:
    """A quantity read from a run, one number per mark: float64 [m]."""

    column: str  # its name in the CSV, unit included
    title: str
    read: Callable[[Run], np.ndarray]


@dataclass(frozen=True)
class Chart:
    """What a figure shows. `x` lists the horizontal axes to choose from, the first being the default."""

    y: Axis
    x: dict[str, Axis]
    scale: str  # of the horizontal axis unless asked otherwise: "log" or "linear"
    timed: bool = False  # whether the network moves its points; only then does each network get a panel


def _uplink_bits(run: Run) -> np.ndarray:
    return 8.0 * run.metrics["uplink_wire_bytes"] / run.workers


def _total_bits(run: Run) -> np.ndarray:
    return 8.0 * (run.metrics["uplink_wire_bytes"] + run.metrics["downlink_wire_bytes"]) / run.workers


BITS = {
    "uplink": Axis("uplink_wire_bits_per_worker", "Uplink per worker (bits on the wire)", _uplink_bits),
    "total": Axis("total_wire_bits_per_worker", "Uplink and downlink per worker (bits on the wire)", _total_bits),
    "paper": Axis(
        "uplink_paper_bits_per_worker",
        "Uplink per worker (bits by each paper's formula)",
        lambda run: run.metrics["uplink_paper_bits"] / run.workers,
    ),
}
SECONDS = {"seconds": Axis("simulated_seconds", "Simulated time (s)", lambda run: run.seconds)}
ROUNDS = {"rounds": Axis("round", "Round", lambda run: run.metrics["round"])}
ACCURACY = Axis("accuracy", "Test accuracy", lambda run: run.metrics["accuracy"])
LOSS = Axis("loss", "Test loss", lambda run: run.metrics["loss"])

CHARTS = {
    "accuracy_vs_bits": Chart(ACCURACY, BITS, "log"),
    "accuracy_vs_time": Chart(ACCURACY, SECONDS, "log", timed=True),
    "accuracy_vs_rounds": Chart(ACCURACY, ROUNDS, "linear"),
    "loss_vs_bits": Chart(LOSS, BITS, "log"),
    "loss_vs_time": Chart(LOSS, SECONDS, "log", timed=True),
    "loss_vs_rounds": Chart(LOSS, ROUNDS, "linear"),
}
