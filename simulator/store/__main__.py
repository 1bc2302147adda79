"""``python -m simulator.store list | verify | prune``: what is kept, whether it is whole, and what may go."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from simulator.config import reporting
from simulator.progress import size
from simulator.store.store import Damaged, Store

USAGE = """usage: python -m simulator.store COMMAND [key=value ...]

  list                       a line for each trajectory: algorithm, task, workers, rounds, seed, size, age
  verify                     compare every file with its digest; what is damaged is set aside, and the exit code is 1
  prune                      delete trajectories, and say what was deleted:
      days=<number>          those older than so many days
      gigabytes=<number>     the oldest, until the rest takes no more than this
      algorithm=<name>       only those of one algorithm
      damaged=true           what verify or a run set aside
      all=true               everything
every command: folder=<store>, by default $BITCLOCK_STORE or the user's cache folder"""
_KEYS = {"list": (), "verify": (), "prune": ("days", "gigabytes", "algorithm", "damaged", "all")}


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code.

    Raises
    ------
    ValueError
        For an unknown command or key.
    """
    if not arguments or {"-h", "--help"} & set(arguments):
        print(USAGE)
        return 0
    command, *rest = arguments
    if command not in _KEYS:
        raise ValueError(f"command: expected one of {', '.join(_KEYS)}, got {command!r}")
    options: dict[str, str] = {}
    for argument in rest:
        key, _, value = argument.partition("=")
        if key not in (*_KEYS[command], "folder") or not value:
            raise ValueError(
                f"{key}: expected one of {', '.join((*_KEYS[command], 'folder'))} with a value for {command}"
            )
        options[key] = value
    folder = options.pop("folder", None)
    store = Store(Path(folder) if folder else None)
    return {"list": _list, "verify": _verify, "prune": _prune}[command](store, options)


def _list(store: Store, options: dict[str, str]) -> int:
    columns = ("trajectory", "algorithm", "task", "workers", "rounds", "seed", "size", "days", "digest")
    table = Table(*columns, title=f"{store.root}", title_justify="left")
    for key in store.keys():
        try:
            entry = store.entry(key)
            config, summary = entry.read_config(), entry.read_json("summary")
            about = [
                config["algorithm"]["name"],
                config["task"]["name"],
                config["workers"],
                config["rounds"],
                config["seed"],
            ]
            row = [*map(str, about), size(store.size(key)), f"{_days(store, key):.1f}", summary["digest"][:12]]
        except (ValueError, KeyError, OSError):
            row = ["damaged"]
        table.add_row(key[:12], *row)
    Console(width=max(Console().width, 120)).print(table)  # as wide in a pipe
    return 0


def _verify(store: Store, options: dict[str, str]) -> int:
    bad = 0
    for key in store.keys():
        try:
            store.verify(key)
        except Damaged as error:
            bad += 1
            print(f"{key[:12]}: {error}; set aside in {store.set_aside(key)}", file=sys.stderr)
    print(f"{len(store.keys())} whole, {bad} damaged")
    return int(bad > 0)


def _prune(store: Store, options: dict[str, str]) -> int:
    if not options:
        raise ValueError(
            "prune: expected at least one of days, gigabytes, algorithm, damaged, all; got nothing to go by"
        )
    freed, gone = 0, 0
    if options.get("damaged") == "true" or options.get("all") == "true":
        shutil.rmtree(store.root / "damaged", ignore_errors=True)
    if options.keys() == {"damaged"}:
        print("the damaged ones are gone")
        return 0
    for key in _doomed(store, options):
        freed, gone = freed + store.remove(key), gone + 1
    print(f"{gone} trajectories deleted, {size(freed)}; {len(store.keys())} left")
    return 0


def _doomed(store: Store, options: dict[str, str]) -> list[str]:
    """Choose what goes: of those that `algorithm` and `days` let through, the oldest beyond the room there is."""
    keys = sorted(store.keys(), key=lambda key: _days(store, key))  # the youngest first
    if "algorithm" in options:
        keys = [key for key in keys if store.entry(key).read_config()["algorithm"]["name"] == options["algorithm"]]
    if "days" in options:
        keys = [key for key in keys if _days(store, key) > _number(options, "days")]
    if "gigabytes" not in options:
        return keys
    room, over = _number(options, "gigabytes") * 1e9, []
    for key in keys:
        room -= store.size(key)
        if room < 0:
            over.append(key)
    return over


def _number(options: dict[str, str], key: str) -> float:
    try:
        value = float(options[key])
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError(f"{key}: expected a number of at least 0, got {options[key]!r}")
    return value


def _days(store: Store, key: str) -> float:
    return (time.time() - store.entry(key).path.stat().st_mtime) / 86400


if __name__ == "__main__":
    reporting(lambda: sys.exit(main(sys.argv[1:])))
