"""Time other simulators on the same work: 32 clients, one step each on a batch of 32, their models averaged.

    python -m benchmarks.peers                              # makes one environment for each peer: some minutes, 3 GB
    python -m benchmarks.peers --peer pfl --model mlp

Random 28 x 28 images, an MLP and a LeNet, no compression. Counted are processor seconds of a round, of all processes
that a peer starts, one intra-op thread each; medians over rounds, with the peers one after the other `--repeats` times.
Our round is a whole one: payloads, counters, clock and trace included. The ratio is a peer's seconds over ours, once of
fedavg with one step, once of sgd, which averages the same. Images are random for peers, embedded ones for us: neither
evaluates anything. A peer that cannot be installed or run is named with the last line that was said.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.environment import ONE_THREAD, NotInstalled, clean, last_line, prepared
from benchmarks.results import MORE, Part, Ratio, told, write

HERE = Path(__file__).resolve().parent
MODELS = ("mlp", "lenet5")
OURS = ("fedavg", "sgd")
_RUN_S = 1800
_QUIET = {"FLWR_TELEMETRY_ENABLED": "0", "RAY_USAGE_STATS_ENABLED": "0"}


@dataclass(frozen=True)
class Peer:
    """A peer: what pip shall install, the script that does the work, how many times fewer seconds we want to take."""

    packages: tuple[str, ...]
    script: str | None
    goals: Mapping[str, float]
    probe: str = ""  # what must be importable, of a peer without a script


PEERS: Mapping[str, Peer] = {
    "pfl": Peer(("pfl==0.6.0", "psutil"), "run_pfl.py", {"mlp": 4.0, "lenet5": 1.2}),
    "flower": Peer(("flwr[simulation]==1.41.0", "psutil"), "run_flower.py", {"mlp": 30.0, "lenet5": 4.0}),
    "flgo": Peer(("flgo==0.4.4", "torchvision"), None, {}, "import torchvision, flgo"),
}


def spoken(command: list[str], environment: Mapping[str, str]) -> str:
    """Run a command and give what it printed; RuntimeError with the last line of what it said if it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_RUN_S, check=False, env={**environment, **_QUIET}
    )
    if done.returncode:
        raise RuntimeError(last_line(done.stderr) or last_line(done.stdout) or f"exit code {done.returncode}")
    return done.stdout


def measure(command: list[str], environment: Mapping[str, str], size: list[str]) -> dict[str, Any]:
    """Run a script of the work; give what it reports, its last line that is JSON."""
    lines = spoken([*command, *size], environment).splitlines()
    found: dict[str, Any] = json.loads(next(line for line in reversed(lines) if line.startswith("{")))
    return found


def ready(name: str, peer: Peer, folder: Path) -> list[str]:
    """Install a peer and give the command of its script; RuntimeError if there is nothing to run."""
    python = prepared(folder / name, peer.packages)
    if peer.script is None:
        spoken([str(python), "-c", peer.probe], clean())
        raise RuntimeError("it can be imported, but nothing here times it")
    return [str(python), str(HERE / peer.script)]


def compare(options: argparse.Namespace) -> tuple[list[Ratio], dict[str, Any]]:
    """Time everybody; give ratios, and the seconds, versions and failures behind them."""
    commands = {name: [sys.executable, "-m", "benchmarks.peers.run_ours", name] for name in OURS}
    failures: dict[str, str] = {}
    for name in options.peer or PEERS:
        try:
            commands[name] = ready(name, PEERS[name], options.folder)
        except (NotInstalled, RuntimeError, subprocess.TimeoutExpired) as error:
            failures[name] = str(error)
    seconds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for _ in range(options.repeats):
        for model in options.model or MODELS:
            size = [model, str(options.rounds), str(options.clients), str(options.batch)]
            for name, command in commands.items():
                if name in failures:
                    continue
                paths = {**clean(), "PYTHONPATH": os.pathsep.join(sys.path)} | ONE_THREAD if name in OURS else clean()
                try:
                    seconds[model][name] += measure(command, paths, size)["cpu_s"]
                except (RuntimeError, StopIteration, subprocess.TimeoutExpired) as error:
                    failures[name] = str(error) or "it reported nothing"
    middle = {model: {name: statistics.median(s) for name, s in one.items()} for model, one in seconds.items()}
    ratios = [
        Ratio(
            f"{model}, {name} over {ours}", spent / times[ours], "our whole round", PEERS[name].goals.get(model), MORE
        )
        for model, times in middle.items()
        for ours in OURS
        if ours in times
        for name, spent in times.items()
        if name not in (*OURS, *failures)
    ]
    packages = {name: list(PEERS[name].packages) for name in commands if name not in OURS}
    return ratios, {"cpu_seconds_per_round": middle, "failures": failures, "packages": packages}


def main() -> int:
    """Parse the command line, measure, print; 1 if our own run failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", action="append", choices=PEERS, help="which, all by default")
    parser.add_argument("--model", action="append", choices=MODELS, help="which, all by default")
    parser.add_argument("--folder", type=Path, default=Path("outputs/peers"), help="where the environments lie")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the ratios to this file")
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    begun = time.perf_counter()
    ratios, details = compare(options)
    for model, times in details["cpu_seconds_per_round"].items():
        print(
            f"{model}: " + ", ".join(f"{name} {spent * 1e3:.0f} ms" for name, spent in times.items()) + " of CPU time"
        )
    print(told(ratios))
    for name, reason in details["failures"].items():
        print(f"{name}: not run: {reason}")
    if options.json:
        write(Part("peers", "python -m benchmarks.peers", ratios, time.perf_counter() - begun, details), options.json)
    return 1 if set(OURS) & set(details["failures"]) else 0


if __name__ == "__main__":
    sys.exit(main())
