"""The results table: algorithm × network, what was learnt, what was sent, how long it took."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np
from rich.table import Table

from figures.charts import ACCURACY, LOSS, Axis
from figures.groups import grouped, identity, labels, one_per_seed, settings
from figures.problems import FigureError
from figures.runs import Run


@dataclass(frozen=True)
class Results:
    """A table ready to be shown: header and rows of text, and the rule by which times to target were read."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str

    def markdown(self) -> str:
        """Lay the table out for a README: text to the left, numbers to the right."""
        lines = ["| " + " | ".join(self.header) + " |", "|---|---|" + "---:|" * (len(self.header) - 2)]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join([*lines, "", self.note, ""])

    def csv(self) -> str:
        """Lay the table out as CSV."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.header, *self.rows])
        return text.getvalue()

    def rich(self) -> Table:
        """Lay the table out for a terminal."""
        table = Table(caption=self.note, caption_justify="left")
        for at, title in enumerate(self.header):
            table.add_column(title, justify="left" if at < 2 else "right")
        for row in self.rows:
            table.add_row(*row)
        return table


def tabulate(runs: Sequence[Run], target: float | None = None) -> Results:
    """Summarise runs of one task, a row for each group of seeds.

    Parameters
    ----------
    runs : sequence of Run
        Of one task. Where no run has an accuracy the loss takes its place.
    target : float, optional
        Accuracy to reach (loss to come down to). Default: what every run attains at its best, to two digits.

    Returns
    -------
    Results
        Means over seeds; the first column ± the sample standard deviation where there are several. A time to target is
        the simulated time of the first mark at which the target holds, not interpolated.

    Raises
    ------
    FigureError
        If `target` is no fraction while accuracies are compared, or copies of one run disagree.
    """
    accurate = any(np.isfinite(run.metrics["accuracy"]).any() for run in runs)
    y, sign = (ACCURACY, 1.0) if accurate else (LOSS, -1.0)
    for run in runs:
        if not np.isfinite(y.read(run)).any():
            raise FigureError(f"{run.folder}: expected a finite {y.column}, got none; narrow runs=")
    if target is None:
        # The worst of the bests, made a little easier so that it is a round number that all reach.
        easiest = min(float(np.nanmax(sign * y.read(run))) for run in runs)
        target = float(np.floor(easiest * 100 + 1e-9) / 100 if accurate else -_round_down(easiest))
    elif accurate and not 0 < target <= 1:
        raise FigureError(f"target: expected an accuracy between 0 and 1, got {target:g}")
    groups = [one_per_seed(group, _same) for group in grouped(runs, identity).values()]
    names = labels([settings(group[0], ("network",)) for group in groups], "algorithm")
    networks = labels(
        [{k: v for k, v in settings(group[0]).items() if k.startswith("network.")} for group in groups], "network"
    )
    goal = f"{100 * target:g} %" if accurate else f"loss {target:g}"
    header = (
        "algorithm",
        "network",
        "seeds",
        "final accuracy (%)" if accurate else "final loss",
        "uplink (MB per worker and round)",
        "simulated time (s)",
        f"time to {goal} (s)",
    )
    rows = tuple(
        (name, network, str(len(group)), *_numbers(group, y, sign, target))
        for name, network, group in zip(names, networks, groups, strict=True)
    )
    note = f"Means over seeds, ± sample standard deviation. Time to {goal}: first mark that reaches it."
    return Results(header, rows, note)


def _round_down(value: float) -> float:
    """Round towards minus infinity to two significant digits."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (np.floor(np.log10(abs(value))) - 1)
    return float(np.floor(value / unit) * unit)


def _same(first: Run, second: Run) -> bool:
    return np.array_equal(first.seconds, second.seconds) and all(
        np.array_equal(first.metrics[name], second.metrics[name], equal_nan=True) for name in first.metrics
    )


def _numbers(group: Sequence[Run], y: Axis, sign: float, target: float) -> tuple[str, ...]:
    finals = [float(values[np.isfinite(values)][-1]) for values in map(y.read, group)]
    scale, form = (100.0, ".2f") if y is ACCURACY else (1.0, ".4g")
    final = format(scale * fmean(finals), form)
    if len(finals) > 1:
        final += f" ± {format(scale * stdev(finals), form)}"
    megabytes = [float(run.metrics["uplink_wire_bytes"][-1]) / run.workers / 1e6 for run in group]
    rates = [sent / max(run.metrics["round"][-1], 1) for sent, run in zip(megabytes, group, strict=True)]
    times = []
    for run in group:
        reached = np.flatnonzero(sign * y.read(run) >= sign * target)
        times += [float(run.seconds[reached[0]])] if reached.size else []
    if len(times) == len(group):
        to_target = f"{fmean(times):.4g}"
    else:
        to_target = "not reached" if not times else f"{fmean(times):.4g} ({len(times)} of {len(group)} seeds)"
    return final, f"{fmean(rates):.4g}", f"{fmean(float(run.seconds[-1]) for run in group):.4g}", to_target
