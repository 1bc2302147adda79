"""The command line's words: which figure, which runs, which options; and what the usage tells of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from figures import targets
from figures.options import choice
from figures.problems import FigureError
from figures.venues import KEYS as PAGE_KEYS
from figures.views import VIEWS

FORMATS = ("auto", "markdown", "rich", "latex")
_FORMAT = {"format": "auto|markdown|rich|latex   how it is printed; latex: with booktabs' rules"}
TABLES: dict[str, Mapping[str, str]] = {"table": targets.KEYS | _FORMAT, "algorithms_table": _FORMAT}
# What every figure of a gallery may be told at once.
GALLERY = {
    key: told
    for name in ("regime_map", "time_to_target", "speedup", "accuracy_vs_rounds")
    for key, told in VIEWS[name].keys.items()
    if key not in ("x", "scale")
}
NAMES = (*VIEWS, *TABLES, "gallery")
WITHOUT_RUNS = ("algorithms_table", *(name for name, view in VIEWS.items() if view.alone))


@dataclass(frozen=True)
class Arguments:
    """What was asked for: a name of `NAMES`, patterns of run folders, the other options by key."""

    name: str
    patterns: Sequence[str]
    options: Mapping[str, str]


def keys_of(name: str) -> Mapping[str, str]:
    """Give the options of a figure or table, each with what the usage tells of it."""
    if name in TABLES:
        return TABLES[name]
    return {**(GALLERY if name == "gallery" else VIEWS[name].keys), **PAGE_KEYS}


def parse(arguments: Sequence[str]) -> Arguments:
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
    keys = {"out", "cache", *keys_of(name)}
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
    if not patterns and name not in WITHOUT_RUNS:
        raise FigureError("runs: expected a pattern of run folders, e.g. runs='outputs/*', got none")
    choice(options, "cache", ("on", "off"))
    return Arguments(name, patterns, options)


def usage() -> str:
    """Tell all names and their options; those that many share are told once."""
    lines = ["usage: python -m figures NAME runs='<glob>' [runs='<glob>' ...] [key=value ...]", "", "figures:"]
    told: dict[str, str] = {}
    for name, view in VIEWS.items():
        again = [key for key, text in view.keys.items() if told.get(key) == text]
        lines.append(f"  {name}" + (f" (also {', '.join(again)}, as above)" if again else ""))
        lines += [f"      {key}={text}" for key, text in view.keys.items() if key not in again]
        told |= view.keys
    lines += ["  gallery                all of them, as far as the runs have what they need", "every figure:"]
    lines += [f"      {key}={text}" for key, text in PAGE_KEYS.items()]
    lines += ["      out=<folder>     where NAME.pdf, NAME.png and NAME.csv go (default: outputs/figures)", "tables:"]
    lines += ["  table                  algorithm × network: what was learnt, sent, and how long it took; also"]
    lines += ["                         metric and target as above"]
    lines += ["  algorithms_table       what each algorithm sends and remembers; without runs= each runs a few rounds"]
    lines += [f"      {key}={text}" for key, text in _FORMAT.items()]
    lines += ["      out=<folder>     also write NAME.md, NAME.csv and NAME.tex"]
    lines += ["every command: cache=on|off is accepted and changes nothing here"]
    return "\n".join(lines)
