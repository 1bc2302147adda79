"""Command line: ``python -m figures NAME runs='<glob>' out=<folder> [key=value ...]``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from figures.charts import CHARTS
from figures.curves import BANDS, draw_up
from figures.groups import one_task
from figures.problems import FigureError
from figures.runs import Run, find_runs
from figures.table import Results, tabulate
from figures.views import VIEWS

SCALES = ("log", "linear")
FORMATS = ("auto", "markdown", "rich")
NAMES = (*CHARTS, *VIEWS, "table", "algorithms_table")
_VIEW_USAGE = "".join(
    f"  {name}\n" + "".join(f"      {key}={told}\n" for key, told in view.keys.items()) for name, view in VIEWS.items()
)
USAGE = f"""usage: python -m figures NAME runs='<glob>' [runs='<glob>' ...] [key=value ...]

names:
  {", ".join(CHARTS)}
      out=<folder>         where NAME.pdf, NAME.png and NAME.csv go (default: outputs/figures)
      x=uplink|total|paper which bits lie across (only *_vs_bits)
      scale=log|linear     of the horizontal axis
      band=minmax|std      around the mean over seeds
{_VIEW_USAGE}  table
      target=<number>      accuracy (or loss) whose time is told
      format=auto|markdown|rich
      out=<folder>         also write table.md and table.csv
  algorithms_table         what each algorithm sends and remembers; without runs= it runs each a few rounds first
      format, out          as for table
every command: cache=on|off is accepted and changes nothing here"""


def parse(arguments: Sequence[str]) -> tuple[str, list[str], dict[str, str]]:
    """Split the command line into a name, the patterns of `runs` and the other options.

    Raises
    ------
    FigureError
        For an unknown name or key, a key given twice, an argument without "=", or no `runs`.
    """
    known = f"expected one of {', '.join(NAMES)}"
    if not arguments:
        raise FigureError(f"name: {known}, got none")
    name, *rest = arguments
    if name not in NAMES:
        raise FigureError(f"name: {known}, got {name!r}")
    tables = {"table": {"target", "format"}, "algorithms_table": {"format"}}
    own = tables.get(name, {"x", "scale", "band"})
    keys = {"out", "cache"} | (set(VIEWS[name].keys) if name in VIEWS else own)
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
    if not patterns and name != "algorithms_table":
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
    from figures.saving import curves_csv, save_figure

    sheet = Sheet(chart.y, x, scale, band, task)
    numbers, folder = curves_csv(curves, sheet), Path(options.get("out", "outputs/figures"))
    for path in save_figure(draw(curves, sheet), numbers, sheet.caption(curves), folder, name):
        print(path)


def _view(name: str, runs: Sequence[Run], options: dict[str, str]) -> None:
    numbers = VIEWS[name].draw_up(runs, options)
    from figures.saving import save_figure

    folder = Path(options.get("out", "outputs/figures"))
    for path in save_figure(VIEWS[name].draw(numbers), numbers.csv(), numbers.caption, folder, name):
        print(path)


def _table(runs: Sequence[Run], options: dict[str, str]) -> None:
    _choice(options, "format", FORMATS)
    try:
        target = float(options["target"]) if "target" in options else None
    except ValueError:
        raise FigureError(f"target: expected a number, got {options['target']}") from None
    one_task(runs)
    _show(tabulate(runs, target), "table", options)


def _algorithms(runs: Sequence[Run], options: dict[str, str]) -> None:
    from figures.algorithms_table import probe, tabulate_algorithms

    _choice(options, "format", FORMATS)
    with TemporaryDirectory() as folder:
        _show(tabulate_algorithms(runs or probe(Path(folder))), "algorithms_table", options)


def _show(results: Results, name: str, options: dict[str, str]) -> None:
    from rich.console import Console

    from figures.saving import save

    form = _choice(options, "format", FORMATS)
    if form == "rich" or (form == "auto" and sys.stdout.isatty()):
        Console().print(results.rich())
    else:
        print(results.markdown(), end="")
    if "out" in options:
        files = {f"{name}.md": results.markdown().encode(), f"{name}.csv": results.csv().encode()}
        save(files, Path(options["out"]))


def main(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code: 0, or 1 after one message on stderr."""
    if any(argument in ("-h", "--help", "help") for argument in arguments):
        print(USAGE)
        return 0
    try:
        name, patterns, options = parse(arguments)
        runs, skipped = find_runs(patterns) if patterns else ([], [])
        if skipped:
            print(f"figures: warning: left out {len(skipped)} half-written: {', '.join(skipped)}", file=sys.stderr)
        if name == "table":
            _table(runs, options)
        elif name == "algorithms_table":
            _algorithms(runs, options)
        elif name in VIEWS:
            _view(name, runs, options)
        else:
            _figure(name, runs, options)
    except (FigureError, OSError) as error:
        print(f"figures: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
