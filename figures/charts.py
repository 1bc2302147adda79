"""What stands on an axis, and how a run's own columns become it; and the charts of one quantity against another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from figures.runs import Run


@dataclass(frozen=True)
class Axis:
    """A quantity read from a run, one number per mark: float64 [m].

    `sign` is 1 where more is better and -1 where less is; `scale` ("log" or "linear") is the horizontal axis' unless
    asked otherwise; `timed` quantities are those that the network moves. Ticks stand for whole `unit`s.
    """

    column: str  # its name in the CSV, unit included
    title: str
    read: Callable[[Run], np.ndarray]
    sign: int = 0
    scale: str = "linear"
    timed: bool = False
    unit: str | None = None


@dataclass(frozen=True)
class Chart:
    """What a figure shows. `x` lists the horizontal axes to choose from, the first being the default."""

    y: Axis
    x: Mapping[str, Axis]


def _uplink_bits(run: Run) -> np.ndarray:
    return 8.0 * run.metrics["uplink_wire_bytes"] / run.workers


def _total_bits(run: Run) -> np.ndarray:
    return 8.0 * (run.metrics["uplink_wire_bytes"] + run.metrics["downlink_wire_bytes"]) / run.workers


BITS = {
    "uplink": Axis(
        "uplink_wire_bits_per_worker", "Uplink per worker (bits on the wire)", _uplink_bits, scale="log", unit="bit"
    ),
    "total": Axis(
        "total_wire_bits_per_worker",
        "Uplink and downlink per worker (bits on the wire)",
        _total_bits,
        scale="log",
        unit="bit",
    ),
    "paper": Axis(
        "uplink_paper_bits_per_worker",
        "Uplink per worker (bits by each paper's formula)",
        lambda run: run.metrics["uplink_paper_bits"] / run.workers,
        scale="log",
        unit="bit",
    ),
}
TIME = Axis("simulated_seconds", "Simulated time (s)", lambda run: run.seconds, scale="log", timed=True)
ROUNDS = Axis("round", "Round", lambda run: run.metrics["round"])
SAMPLES = Axis("samples", "Samples seen by all workers", lambda run: run.metrics["samples"])
ACROSS = {"rounds": ROUNDS, "samples": SAMPLES, **BITS, "time": TIME}

ACCURACY = Axis("accuracy", "Test accuracy", lambda run: run.metrics["accuracy"], sign=1)
LOSS = Axis("loss", "Test loss", lambda run: run.metrics["loss"], sign=-1)
PERPLEXITY = Axis("perplexity", "Test perplexity", lambda run: run.metrics["perplexity"], sign=-1)
BLEU = Axis("bleu", "Test BLEU", lambda run: run.metrics["bleu"], sign=1)
LEARNT = {axis.column: axis for axis in (ACCURACY, LOSS, PERPLEXITY, BLEU)}

CHARTS = {
    **{name: Chart(axis, ACROSS) for name, axis in LEARNT.items()},
    "accuracy_vs_bits": Chart(ACCURACY, BITS),
    "accuracy_vs_time": Chart(ACCURACY, {"seconds": TIME}),
    "accuracy_vs_rounds": Chart(ACCURACY, {"rounds": ROUNDS}),
    "loss_vs_bits": Chart(LOSS, BITS),
    "loss_vs_time": Chart(LOSS, {"seconds": TIME}),
    "loss_vs_rounds": Chart(LOSS, {"rounds": ROUNDS}),
}
