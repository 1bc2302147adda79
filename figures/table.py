"""The results table: algorithm × network, what was learnt, what was sent, how long it took."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from rich.table import Table

from figures.charts import ACCURACY
from figures.groups import grouped, identity, labels, network_settings, one_per_seed, settings
from figures.latex import booktabs
from figures.runs import Run, same_clock
from figures.targets import Goal, final, goal


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

    def latex(self) -> str:
        """Lay the table out as a LaTeX tabular with booktabs' rules."""
        return booktabs(self.header, self.rows, self.note, left=2)

    def rich(self) -> Table:
        """Lay the table out for a terminal."""
        table = Table(caption=self.note, caption_justify="left")
        for at, title in enumerate(self.header):
            table.add_column(title, justify="left" if at < 2 else "right")
        for row in self.rows:
            table.add_row(*row)
        return table


def tabulate(runs: Sequence[Run], options: Mapping[str, str] | None = None) -> Results:
    """Summarise runs of one task, a row for each group of seeds.

    Parameters
    ----------
    runs : sequence of Run
        Of one task.
    options : mapping, optional
        `metric` and `target` as in `figures.targets`.

    Returns
    -------
    Results
        Means over seeds; the first column ± the sample standard deviation where there are several. A time to target is
        the simulated time of the first mark at which the target holds, not interpolated.

    Raises
    ------
    FigureError
        If nobody reaches the target, or copies of one run disagree.
    """
    wanted = goal(runs, options or {})
    groups = [one_per_seed(group, same_clock) for group in grouped(runs, identity).values()]
    names = labels([settings(group[0], ("network",)) for group in groups], "algorithm")
    networks = labels([network_settings(group[0]) for group in groups], "network")
    header = (
        "algorithm",
        "network",
        "seeds",
        "final accuracy (%)" if wanted.axis is ACCURACY else f"final {wanted.axis.column}",
        "uplink (MB per worker and round)",
        "simulated time (s)",
        f"time to {wanted.title} (s)",
    )
    rows = tuple(
        (name, network, str(len(group)), *_numbers(group, wanted))
        for name, network, group in zip(names, networks, groups, strict=True)
    )
    note = f"Means over seeds, ± sample standard deviation. Time to {wanted.title}: first mark that reaches it."
    return Results(header, rows, note)


def _numbers(group: Sequence[Run], wanted: Goal) -> tuple[str, ...]:
    finals = [final(run, wanted.axis) for run in group]
    scale, form = (100.0, ".2f") if wanted.axis is ACCURACY else (1.0, ".4g")
    learnt = format(scale * fmean(finals), form)
    if len(finals) > 1:
        learnt += f" ± {format(scale * stdev(finals), form)}"
    megabytes = [float(run.metrics["uplink_wire_bytes"][-1]) / run.workers / 1e6 for run in group]
    rates = [sent / max(run.metrics["round"][-1], 1) for sent, run in zip(megabytes, group, strict=True)]
    marks = [(run, wanted.mark(run)) for run in group]
    times = [float(run.seconds[mark]) for run, mark in marks if mark is not None]
    if len(times) == len(group):
        to_target = f"{fmean(times):.4g}"
    else:
        to_target = "not reached" if not times else f"{fmean(times):.4g} ({len(times)} of {len(group)} seeds)"
    return learnt, f"{fmean(rates):.4g}", f"{fmean(float(run.seconds[-1]) for run in group):.4g}", to_target
