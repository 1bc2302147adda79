"""One sweep as a paper has it: algorithms x bandwidths x latencies x seeds, trained once, re-timed everywhere.

    python benchmarks/sweep.py
    python benchmarks/sweep.py --rounds 40 --multirun 96

Trains one trajectory for each algorithm and seed through a fresh store, re-times all of them on all networks by one
call of `simulator.retime`, then asks for the same cells (the first `--multirun` of them; 0: all) by Hydra's multirun,
which finds every trajectory in the store. All are commands as a user would give them; seconds are wall clock.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import facts

ALGORITHMS = ("sgd", "topk", "randomk", "qsgd", "signsgd_vote", "ef_signsgd", "local_sgd", "sbc2")
BANDWIDTHS = tuple(f"{rate:g}" for rate in (1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9, 3e9, 1e10, 3e10))
LATENCIES = ("1e-4", "1e-3", "1e-2", "1e-1")
SEEDS = (1, 2, 3)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the sweep in three ways and print what each cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--multirun", type=int, default=192, help="cells that Hydra's multirun is asked for; 0: all")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps({"machine": facts(), **measure(Path(scratch), options)}, indent=1))


def measure(scratch: Path, options: argparse.Namespace) -> dict[str, object]:
    """Time training, re-timing by list, and multirun over what is known."""
    os.environ["BITCLOCK_STORE"] = str(scratch / "store")
    who, seeds = f"algorithm={','.join(ALGORITHMS)}", f"seed={','.join(map(str, SEEDS))}"
    common = [f"rounds={options.rounds}", "progress=false"]
    trained_s, told = command("simulator", "-m", who, seeds, *common, f"hydra.sweep.dir={scratch / 'trained'}")
    networks = [f"network.up_bps={','.join(BANDWIDTHS)}", f"network.latency_s={','.join(LATENCIES)}"]
    runs, cells = len(ALGORITHMS) * len(SEEDS), len(ALGORITHMS) * len(SEEDS) * len(BANDWIDTHS) * len(LATENCIES)
    retimed_s, _ = command("simulator.retime", f"run={scratch}/trained/*", *networks, f"hydra.run.dir={scratch / 're'}")
    few = BANDWIDTHS if not options.multirun else BANDWIDTHS[: max(options.multirun // (runs * len(LATENCIES)), 1)]
    again = [f"network.up_bps={','.join(few)}", networks[1]]
    multirun_s, more = command("simulator", "-m", who, seeds, *again, *common, f"hydra.sweep.dir={scratch / 'cells'}")
    asked = runs * len(few) * len(LATENCIES)
    return {
        "trajectories": dict(Counter(how(scratch / "trained"))),
        "training_s": round(trained_s, 2),
        "cells": cells,
        "retime_s": round(retimed_s, 2),
        "retime_s_per_cell": round(retimed_s / cells, 4),
        "multirun_cells": dict(Counter(how(scratch / "cells"))),
        "multirun_s_per_cell": round(multirun_s / asked, 4),
        "bound_s": round(1.2 * trained_s + 0.05 * cells, 2),
        "trained_and_retimed_s": round(trained_s + retimed_s, 2),
        "said": [line for text in (told, more) for line in text.splitlines() if line.startswith("sweep:")],
    }


def command(module: str, *arguments: str) -> tuple[float, str]:
    """Run a module as a user would; give the seconds that it took, and its standard output."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    return time.perf_counter() - begun, done.stdout


def how(folder: Path) -> list[str]:
    """Say of each run in a sweep whether gradients were computed for it."""
    summaries = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*/summary.json"))]
    return ["trained" if summary["gradient_seconds"] > 0 else "re-timed" for summary in summaries]


if __name__ == "__main__":
    main()
