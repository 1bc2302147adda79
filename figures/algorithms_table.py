"""The table of algorithms: what each sends, in how many phases, what it remembers; read off runs, not written by hand.

Without `runs` every algorithm of `conf/algorithm` runs a few rounds on the default task first, by the command that
anybody else would use. Numbers are those between the last two marks, so that a dense first round does not count; where
workers go at their own pace, those of the whole run.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from figures.problems import FigureError
from figures.runs import Run, find_runs
from figures.table import Results
from figures.tables import read_columns

HEADER = (
    "algorithm",
    "paper",
    "local steps",
    "a round's phases",
    "other routes",
    "up (bit)",
    "its indices",
    "by the paper",
    "down (bit)",
    "memory of a worker",
    "of the server",
)
NOTE = (
    "Per round, mean of the workers. Bits are per coordinate of the model: those that the encoder wrote, those of them "
    "that tell places, and what the paper's formula gives for the uplink. Memory is what is kept from round to round "
    "beside the model, in numbers per coordinate; – where a program keeps it to itself. Other routes: `via`."
)
PHASES = ("gather", "broadcast", "scatter", "all_reduce", "all_gather")
BITS = ("uplink_wire_bits", "uplink_wire_indices_bits", "uplink_paper_bits", "downlink_wire_bits")
ADVICE = "run it again with this version"
ROUTES = ("server", "all_gather", "all_reduce", "shared_support")
SETTINGS = ("workers=4", "rounds=4", "eval_every=1", "batch=8", "progress=false", "checkpoint_every=100")


def probe(folder: Path, names: Sequence[str] = ()) -> list[Run]:
    """Run algorithms, all of them unless some are named, for a few rounds, each into a folder of its own.

    Raises
    ------
    FigureError
        If a run fails, with what it said.
    """
    names = names or sorted(path.stem for path in _registry().iterdir() if path.suffix == ".yaml")
    command = [sys.executable, "-m", "simulator", "-m", f"algorithm={','.join(names)}", *SETTINGS]
    done = subprocess.run([*command, f"hydra.sweep.dir={folder}"], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise FigureError(f"runs: expected every algorithm to run, got {said[-1] if said else done.returncode}")
    return find_runs([f"{folder}/*"])[0]


def tabulate_algorithms(runs: Sequence[Run]) -> Results:
    """Lay out a row for each algorithm among the runs; the first run of a name counts.

    Raises
    ------
    FigureError
        If a run has fewer than two marks, or an older version made it.
    """
    first: dict[str, Run] = {}
    for run in runs:
        first.setdefault(str(run.config["algorithm"].get("name", "?")), run)
    return Results(HEADER, tuple(_row(name, run) for name, run in sorted(first.items())), NOTE)


def _row(name: str, run: Run) -> tuple[str, ...]:
    if len(run.metrics["round"]) < 2 or "coordinates" not in run.summary:
        raise FigureError(f"{run.folder}: expected two marks and the model's size, got fewer; {ADVICE}")
    d, table = float(run.summary["coordinates"]), read_columns(run, "metrics", BITS, ADVICE)
    steps, phases, since = _phases(_last_round(run))
    rounds = float(run.metrics["round"][-1] - run.metrics["round"][since])
    bits = {}
    for column in BITS:
        values = table[column].to_numpy(zero_copy_only=False).astype(np.float64)
        bits[column] = f"{(values[-1] - values[since]) / (rounds * run.workers * d):.3g}"
    memory = run.summary.get("memory")
    kept = [f"{memory[place] / d:.2g}" if isinstance(memory, Mapping) else "–" for place in ("worker", "server")]
    source = _source(name)
    up, indices, paper, down = (bits[column] for column in BITS)
    return name, source[0], steps, phases, source[1], up, indices, paper, down, *kept


def _registry() -> Path:
    return Path(str(files("conf"))) / "algorithm"


def _last_round(run: Run) -> list[dict[str, Any]]:
    """Give the entries of the trace between the last two marks."""
    lines = (run.folder / "trace.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines[1:]]
    marks = [at for at, entry in enumerate(entries) if entry["op"] == "mark"]
    return entries[marks[-2] + 1 : marks[-1]]


def _phases(entries: Sequence[Mapping[str, Any]]) -> tuple[str, str, int]:
    """Count the gradients of a worker, name the exchanges in order, and tell from which mark on to count bits."""
    if any("process" in entry for entry in entries):
        return "–", "messages", 0
    steps = sum(entry["op"] == "gradient" for entry in entries)
    named = (entry["op"] for entry in entries if entry["op"] in PHASES)
    return str(steps), ", ".join(_counted(named)).replace("_", "-"), -2


def _counted(names: Iterator[str]) -> Iterator[str]:
    for name, same in groupby(names):
        count = len(list(same))
        yield name if count == 1 else f"{count} × {name}"


def _source(name: str) -> tuple[str, str]:
    """Read the paper off the header of an algorithm's yaml, and what `via` may be beside what it is."""
    path = _registry() / f"{name}.yaml"
    if not path.is_file():
        return "–", "–"
    text = path.read_text(encoding="utf-8")
    header = " ".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
    found = re.search(r"[A-Z][\w-]+(?: et al\.| (?:&|and) [A-Z][\w-]+)? (?:19|20)\d\d(?:, [^():;]+)?", header)
    routes = re.search(r"^via: (\w+)\s*# (.*)$", text, re.MULTILINE)
    others = [] if routes is None else [word for word in re.findall(r"\w+", routes[2]) if word in ROUTES]
    return found[0].rstrip(".") if found else "–", ", ".join(
        word for word in others if routes and word != routes[1]
    ) or "–"
