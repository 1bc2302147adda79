"""Make a figure or a table: compute, draw, save; a gallery makes every one that the runs suffice for."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from figures.algorithms_table import probe, tabulate_algorithms
from figures.arguments import FORMATS, TABLES, Arguments, keys_of
from figures.chart_view import file_of
from figures.charts import CHARTS
from figures.groups import grouped, identity
from figures.options import choice
from figures.problems import FigureError
from figures.runs import Run
from figures.table import Results, tabulate
from figures.venues import Page, page
from figures.views import VIEWS, Numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OUT = "outputs/figures"
SPANS = "spans.parquet"


def command(asked: Arguments) -> str:
    """Write the command line that was given, as a shell reads it."""
    words = [asked.name, *(f"runs={pattern}" for pattern in asked.patterns)]
    words += [f"{key}={value}" for key, value in asked.options.items()]
    return f"python -m figures {shlex.join(words)}"


def make_figure(asked: Arguments, runs: Sequence[Run]) -> list[Path]:
    """Make one figure and give its files.

    Raises
    ------
    FigureError
        If the runs or options do not suffice.
    """
    view, options = VIEWS[asked.name], asked.options
    sheet = page(options)
    numbers = view.draw_up(runs, options)
    from figures.saving import save_figure

    name = file_of(asked.name, options) if asked.name in CHARTS else asked.name
    figure, folder = drawn(asked.name, numbers, sheet), Path(options.get("out", OUT))
    return save_figure(figure, numbers.csv(), numbers.caption, sheet, command(asked), folder, name)


def drawn(name: str, numbers: Numbers, sheet: Page) -> Figure:
    """Draw a figure, its ticks thinned where their names would touch."""
    figure = VIEWS[name].draw(numbers, sheet)
    from figures.ticks import thinned

    return thinned(figure)


def make_table(asked: Arguments, runs: Sequence[Run]) -> list[Path]:
    """Print a table, and write it where `out` says; gives the files."""
    form = choice(asked.options, "format", FORMATS)
    results = results_of(asked, runs)
    if form == "latex":
        print(results.latex(), end="")
    elif form == "rich" or (form == "auto" and sys.stdout.isatty()):
        from rich.console import Console

        Console().print(results.rich())
    else:
        print(results.markdown(), end="")
    return save_table(asked.name, results, Path(asked.options["out"])) if "out" in asked.options else []


def results_of(asked: Arguments, runs: Sequence[Run]) -> Results:
    """Compute a table."""
    if asked.name == "table":
        return tabulate(runs, asked.options)
    with TemporaryDirectory() as folder:
        return tabulate_algorithms(runs or probe(Path(folder)))


def save_table(name: str, results: Results, folder: Path) -> list[Path]:
    """Write NAME.md, NAME.csv and NAME.tex."""
    from figures.saving import save

    texts = {"md": results.markdown(), "csv": results.csv(), "tex": results.latex()}
    return save({f"{name}.{suffix}": text.encode() for suffix, text in texts.items()}, folder)


def make_gallery(asked: Arguments, runs: Sequence[Run]) -> Iterable[tuple[str, list[Path] | FigureError]]:
    """Make everything that the runs suffice for; gives each name with its files, or why it was skipped.

    Of figures that give every run a panel, one run of each algorithm is shown, as many as have room; a command that
    makes one of a gallery's figures again is in that figure.
    """
    sheet = page(asked.options)
    for name, options in _wishes(asked.options):
        chosen = [run for run in runs if name != "gantt" or (run.folder / SPANS).exists()] or list(runs)
        patterns = asked.patterns
        if name in VIEWS and VIEWS[name].each:
            firsts = [group[0] for group in grouped(chosen, lambda run: identity(run, ("network", "compute"))).values()]
            chosen = firsts[: VIEWS[name].each if sheet.height is None else 1]
            patterns = [str(run.folder) for run in chosen]
        one = Arguments(name, patterns, options)
        try:
            if name in TABLES:
                yield name, save_table(name, results_of(one, chosen), Path(options.get("out", OUT)))
            else:
                yield file_of(name, options) if name in CHARTS else name, make_figure(one, chosen)
        except FigureError as error:
            if name in CHARTS:  # what a metric lacks against one axis it may have against another
                lacking = f"finite {CHARTS[name].y.column}," in str(error)
                if lacking and options["x"] != next(iter(CHARTS[name].x)):
                    continue
                yield name if lacking else file_of(name, options), error
            else:
                yield name, error


def _wishes(options: Mapping[str, str]) -> Iterable[tuple[str, dict[str, str]]]:
    """Name every figure and table once, with those of a gallery's options that it knows."""
    for name in (*VIEWS, *TABLES):
        known = {key: value for key, value in options.items() if key in keys_of(name) or key == "out"}
        if name == "topology":
            known.pop("network", None)  # which is where to re-time; the runs' own are drawn
        if "_vs_" in name:
            continue  # another name of what follows
        if name in CHARTS:
            yield from ((name, {"x": x} | known) for x in CHARTS[name].x)
        else:
            yield name, known
