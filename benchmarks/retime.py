"""Re-time one trace on many networks, beside the event-driven replay of some of them, and compare what they say.

    python benchmarks/retime.py
    python benchmarks/retime.py --json --networks 100 --rounds 1000 --workers 64

Traces are made here by short runs of softmax regression on made-up gradients; what they send is real. `alike`: all
messages of an algorithm have one size; `ragged`: every message of every round has its own. Networks are stars that
differ in bandwidth (server and workers) and latency. The replay is timed on `--samples` of them. CPU seconds.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_module

from benchmarks.machine import facts
from benchmarks.results import give
from network_models import Network
from simulator.building import conditions
from simulator.compute import Compute
from simulator.config import register
from simulator.drivers.replay import retimed
from simulator.moment import Moment
from simulator.retiming import retimed_many
from simulator.runner import Run

# name: (algorithm, stragglers, the most seconds that this should take for 100 networks x 1,000 rounds x 64 workers)
CASES = {
    "star, alike": (["algorithm=sgd"], "none", 1.0),
    "star, ragged": (["algorithm=topk"], "none", 1.0),
    "ring, alike": (["algorithm=sgd_allreduce"], "none", 1.0),
    "star, stragglers": (["algorithm=sgd"], "lognormal", 20.0),
    "star, ragged, stragglers": (["algorithm=topk"], "lognormal", 20.0),
    "ring, stragglers": (["algorithm=sgd_allreduce"], "lognormal", 20.0),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every case and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("networks", 100), ("rounds", 1000), ("workers", 64), ("samples", 4)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="end with one line of JSON, or write it to FILE"
    )
    options = parser.parse_args(arguments)
    register()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = {}
    with tempfile.TemporaryDirectory() as scratch, initialize_config_module("conf", version_base="1.3"):
        for number, (name, (algorithm, stragglers, limit)) in enumerate(CASES.items()):
            trace = _trace(Path(scratch) / str(number), algorithm, options.rounds, options.workers)
            found[name] = _measure(trace, stragglers, options) | {"limit_s": limit}
    if options.json:
        give({"machine": facts(), "options": vars(options), "cases": found}, options.json)
        return
    print(f"{'':26}{'all':>9}{'limit':>8}{'replay of all':>15}{'ratio':>8}{'differ by':>11}")
    for name, case in found.items():
        ratio = case["replay_s"] / case["many_s"]
        told = f"{case['many_s']:7.2f} s{case['limit_s']:6.0f} s{case['replay_s']:13.1f} s{ratio:7.0f}x"
        print(f"{name:26}{told}{case['differ']:11.1e}")


def _trace(folder: Path, algorithm: list[str], rounds: int, workers: int) -> Path:
    settings = ["model=softmax", "batch=1", f"rounds={rounds}", f"workers={workers}", f"eval_every={rounds}"]
    Run(compose("config", overrides=[*algorithm, *settings, "progress=false", "cache=off"]), folder).execute()
    return folder / "trace.jsonl"


def _measure(trace: Path, stragglers: str, options: argparse.Namespace) -> dict[str, float]:
    pairs = _conditions(stragglers, options)
    networks, computes = [network for network, _ in pairs], [pairs[0][1]] * len(pairs)
    marks = {options.rounds}
    begun = time.process_time()
    many = retimed_many(trace, networks, computes, marks)
    many_s = time.process_time() - begun
    sampled = range(0, options.networks, max(options.networks // options.samples, 1))
    begun = time.process_time()
    alone = [retimed(trace, networks[b], computes[b], marks) for b in sampled]
    replay_s = (time.process_time() - begun) / len(sampled) * options.networks
    differ = max(_differ(one[-1][1], many[b][-1][1]) for b, one in zip(sampled, alone, strict=True))
    return {"many_s": many_s, "replay_s": replay_s, "differ": differ}


def _conditions(stragglers: str, options: argparse.Namespace) -> list[tuple[Network, Compute]]:
    """Make stars on which now the workers' links limit, now the server's, and now the latency."""
    pairs = []
    for b in range(options.networks):
        up, hub = 1e6 * 1.06**b, 1e8 * (1 + b % 7)
        rates = [f"network.up_bps={up}", f"network.down_bps={2 * up}", f"network.latency_s={0.001 * (1 + b % 9)}"]
        servers = [f"network.server_up_bps={hub}", f"network.server_down_bps={hub / 2}"]
        chosen = [f"workers={options.workers}", f"stragglers={stragglers}", *rates, *servers]
        pairs.append(conditions(compose("config", overrides=chosen)))
    return pairs


def _differ(one: Moment, other: Moment) -> float:
    """Give the largest difference of any worker's time of any kind, as a share of the time that has passed."""
    kinds = [float(np.abs(one.spent[kind] - other.spent[kind]).max()) for kind in one.spent]
    return max(abs(one.seconds - other.seconds), *kinds) / one.seconds


if __name__ == "__main__":
    main()
