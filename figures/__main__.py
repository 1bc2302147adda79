"""Command line: ``python -m figures NAME runs='<glob>' out=<folder> [key=value ...]``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from figures.charts import CHARTS
from figures.curves import BANDS, draw_up
from figures.groups import one_task
from figures.problems import FigureError
from figures.runs import Run, find_runs

SCALES = ("log", "linear")
FORMATS = ("auto", "markdown", "rich")
USAGE = f"""usage: python -m figures NAME runs='<glob>' [runs='<glob>' ...] [key=value ...]

names:
  {", ".join(CHARTS)}
      out=<folder>         where NAME.pdf, NAME.png and NAME.csv go (default: outputs/figures)
      x=uplink|total|paper which bits lie across (only *_vs_bits)
      scale=log|linear     of the horizontal axis
      band=minmax|std      around the mean over seeds
  table
      target=<number>      accuracy (or loss) whose time is told
      format=auto|markdown|rich
      out=<folder>         also write table.md and table.csv
every command: cache=on|off is accepted and changes nothing here"""


def parse(arguments: Sequence[str]) -> tuple[str, list[str], dict[str, str]]:
    """Split the command line into a name, the patterns of `runs` and the other options.

    Raises
    ------
    FigureError
        For an unknown name or key, a key given twice, an argument without "=", or no `runs`.
    """
    known = f"expected one of {', '.join([*CHARTS, 'table'])}"
    if not arguments:
        raise FigureError(f"name: {known}, got none")
    name, *rest = arguments
    if name not in CHARTS and name != "table":
        raise FigureError(f"name: {known}, got {name!r}")
    keys = {"out", "cache"} | ({"target", "format"} if name == "table" else {"x", "scale", "band"})
    patterns: list[str] = []
    options: dict[str, str] = {}
    for argument in rest:
        key, equals, value = argument.partition("=")
        if not equals or not value:
            raise FigureError(f"{argument}: expected key=value, e.g. runs='outputs/*'")
        if key == "runs":
            patterns.append(value)
        elif key not in keys:
            raise FigureError(f"{key}: expected one of {', '.join(['runs', *sorted(keys)])}, got {argument}")
        elif key in options:
            raise FigureError(f"{key}: expected once, got {options[key]} and {value}")
        else:
            options[key] = value
    if not patterns:
        raise FigureError("runs: expected a pattern of run folders, e.g. runs='outputs/*', got none")
    _choice(options, "cache", ("on", "off"))
    return name, patterns, options


def _choice(options: dict[str, str], key: str, choices: Sequence[str]) -> str:
    """Read an option that has a few possible values, the first being the default."""
    value = options.get(key, choices[0])
    if value not in choices:
        raise FigureError(f"{key}: expected one of {', '.join(choices)}, got {value}")
    return value


def _figure(name: str, runs: Sequence[Run], options: dict[str, str]) -> None:
    chart = CHARTS[name]
    x = chart.x[_choice(options, "x", list(chart.x))]
    scale = _choice(options, "scale", (chart.scale, *(scale for scale in SCALES if scale != chart.scale)))
    band = _choice(options, "band", list(BANDS))
    task = one_task(runs)
    curves = draw_up(runs, chart, x, log_x=scale == "log", band=band)

    # Matplotlib takes half a second to load: wrong arguments are told before.
    from figures.drawing import Sheet, draw
    from figures.saving import save_figure

    sheet = Sheet(chart.y, x, scale, band, task)
    for path in save_figure(draw(curves, sheet), curves, sheet, Path(options.get("out", "outputs/figures")), name):
        print(path)


def _table(runs: Sequence[Run], options: dict[str, str]) -> None:
    from rich.console import Console

    from figures.saving import save
    from figures.table import tabulate

    form = _choice(options, "format", FORMATS)
    try:
        target = float(options["target"]) if "target" in options else None
    except ValueError:
        raise FigureError(f"target: expected a number, got {options['target']}") from None
    one_task(runs)
    results = tabulate(runs, target)
    if form == "rich" or (form == "auto" and sys.stdout.isatty()):
        Console().print(results.rich())
    else:
        print(results.markdown(), end="")
    if "out" in options:
        files = {"table.md": results.markdown().encode(), "table.csv": results.csv().encode()}
        save(files, Path(options["out"]))


def main(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code: 0, or 1 after one message on stderr."""
    if any(argument in ("-h", "--help", "help") for argument in arguments):
        print(USAGE)
        return 0
    try:
        name, patterns, options = parse(arguments)
        runs, skipped = find_runs(patterns)
        if skipped:
            print(f"figures: warning: left out {len(skipped)} half-written: {', '.join(skipped)}", file=sys.stderr)
        if name == "table":
            _table(runs, options)
        else:
            _figure(name, runs, options)
    except (FigureError, OSError) as error:
        print(f"figures: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
