"""Time one round of a run against one plain forward and backward pass over the same number of samples.

    python benchmarks/round.py                       # LeNet5, 32 workers x 32 samples, top-k 1 % + error feedback, star
    python benchmarks/round.py --algorithm qsgd --model mlp
    python benchmarks/round.py --set algorithm.levels=1 --set network=lte
    python benchmarks/round.py --task cifar10_mini --model resnet20 --workers 8

The run is the real one: built from the configuration, driven by the recorder, with payloads, counters, clock and trace
file. A round is all of it but evaluation: gradients, error feedback, selection, payload, server mean, outer step,
clock, counters, trace. (Evaluation, by default every 20th round, is reported beside it, spread over the rounds.) After
every round the reference runs once with one thread and once with as many as the run has, in the same process, so a busy
neighbour slows all alike; `round_over_gradient` is of medians of the wall clock, with the faster of the two references.
Beside it stand the ratio of minima and that of processor time (all threads of a round over the one thread of a
reference). The reference yields one mean gradient, a round one gradient a worker; where a round takes several local
steps, or not all workers take part, `round_over_its_gradients_cpu` compares it with so many passes.

Peak memory is that of a fresh process which runs a few rounds and evaluations, without the reference.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate

from benchmarks.gradients import plain
from benchmarks.machine import facts, peak_bytes
from benchmarks.results import give
from benchmarks.stages import Rounds, built, medians, table
from simulator.threads import keep_memory, one_thread

_SETTLE_S = 0.03  # OpenMP's team spins for a while after a pass with several threads
_WARM = 2  # rounds that are not counted: memory is touched for the first time
_SLACK_BYTES = 500_000_000
_FLOATS = 4  # per worker and coordinate
_MEMORY = ("peak_memory_bytes", "allowed_memory_bytes", "memory_after_imports_bytes", "memory_before_first_round_bytes")


def overrides(options: argparse.Namespace, rounds: int) -> list[str]:
    """Write the options as a command line of the simulator."""
    fixed = {
        "task": options.task,
        "model": options.model,
        "algorithm": options.algorithm,
        "network": "lan_1g",
        "workers": options.workers,
        "batch": options.batch,
        "chunk": options.chunk,
        "rounds": rounds,
        "checkpoint_every": rounds,
        "threads": options.threads or "null",
        "device": "cpu",
    }
    return [*(f"{key}={value}" for key, value in fixed.items()), *options.set]


class Reference:
    """One forward and backward pass of the model over workers x batch samples, under plain autograd."""

    def __init__(self, options: argparse.Namespace, model: Any) -> None:
        torch.manual_seed(0)
        self.module = instantiate(model)
        count = options.workers * options.batch
        shape = (3, 32, 32) if options.task.startswith("cifar10") else (1, 28, 28)
        self.inputs, self.targets = torch.rand(count, *shape), torch.randint(0, 10, (count,))
        self.threads = sorted({1, options.threads or os.cpu_count() or 1})
        self.seconds: dict[int, list[float]] = {threads: [] for threads in self.threads}
        self.cpu: list[float] = []  # with one thread

    def __call__(self) -> None:
        """Time it once with each number of threads."""
        for threads in self.threads:
            begun, cpu = time.perf_counter(), time.process_time()
            plain(self.module, self.inputs, self.targets, threads)
            self.seconds[threads].append(time.perf_counter() - begun)
            if threads == 1:
                self.cpu.append(time.process_time() - cpu)
            time.sleep(_SETTLE_S if threads > 1 else 0.0)
        one_thread()


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run, interleaved with the reference, and compare."""
    with tempfile.TemporaryDirectory() as folder:
        run = built(overrides(options, options.rounds + _WARM), Path(folder) / "run")
        reference = Reference(options, run.config.model)
        rounds = Rounds(run, between=reference)
        summary = rounds.execute()
        eval_every, size = run.config.eval_every, run.task.layout.size
    passes = {threads: values[_WARM:] for threads, values in reference.seconds.items()}
    median = {threads: statistics.median(values) for threads, values in passes.items()}
    best = min(median, key=median.__getitem__)
    seconds, evaluation = rounds.seconds[_WARM:], [s for s in rounds.evaluation if s]
    round_s = statistics.median(seconds)
    evaluated = round_s + statistics.median(evaluation) / eval_every
    cpu = statistics.median(rounds.cpu[_WARM:]) / statistics.median(reference.cpu[_WARM:])
    passes_each = statistics.median(rounds.gradients[_WARM:]) / options.workers
    return {
        "round_over_gradient": round_s / median[best],
        "round_over_gradient_min": min(seconds) / min(passes[best]),
        "round_over_gradient_cpu": cpu,
        "round_over_its_gradients_cpu": cpu / passes_each,
        "passes": passes_each,
        "round_over_gradient_with_evaluation": evaluated / median[best],
        "round_median_s": round_s,
        "round_min_s": min(seconds),
        "gradient_median_s": statistics.median(rounds.gradient[_WARM:]),
        "plain_median_s": {str(threads): value for threads, value in median.items()},
        "plain_min_s": {str(threads): min(values) for threads, values in passes.items()},
        "plain_threads": best,
        "coordinates": size,
        "rounds": len(seconds),
        "stages_median_s": medians(rounds.stages, _WARM),
        "inside_median_s": medians(rounds.inside, _WARM),
        "digest": summary["digest"],
    }


def memory(options: argparse.Namespace) -> dict[str, Any]:
    """Run in a fresh process and give the peak of its resident memory after imports, after building and at the end."""
    command = [sys.executable, __file__, "--memory", *sys.argv[1:]]
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=paths)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def memory_here(options: argparse.Namespace) -> dict[str, Any]:
    """Measure this process."""
    keep_memory()
    imported = peak_bytes()
    with tempfile.TemporaryDirectory() as folder:
        run = built([*overrides(options, 4), "eval_every=2"], Path(folder) / "run")
        ready = peak_bytes()
        run.execute()
        allowed = _FLOATS * 4 * options.workers * run.task.layout.size + _SLACK_BYTES
    return dict(zip(_MEMORY, (peak_bytes(), allowed, imported, ready), strict=True))


def show(result: dict[str, Any]) -> None:
    """Print the result as a table."""
    o = result["options"]
    print(f"{o['algorithm']}, {o['model']} (d = {result['coordinates']:,}), {o['workers']} workers x {o['batch']}")
    print(f"{result['rounds']} rounds on {result['machine']['processor']}, {result['machine']['cores']} cores\n")
    print(table(result["stages_median_s"], result["inside_median_s"], result["round_median_s"]))
    middle, least = result["round_median_s"] * 1e3, result["round_min_s"] * 1e3
    print(f"round without evaluation: median {middle:.2f} ms, least {least:.2f}")
    for threads, seconds in result["plain_median_s"].items():
        least = result["plain_min_s"][threads] * 1e3
        print(f"plain pass, {threads} thread(s): median {seconds * 1e3:.2f} ms, least {least:.2f}")
    print(
        f"\nround / plain pass: {result['round_over_gradient']:.2f} of medians, "
        f"{result['round_over_gradient_min']:.2f} of minima, {result['round_over_gradient_cpu']:.2f} of CPU time, "
        f"{result['round_over_gradient_with_evaluation']:.2f} with evaluation spread over the rounds"
    )
    peak, allowed, imported, ready = (f"{result[key] / 1e6:.0f} MB" for key in _MEMORY)
    print(f"peak memory {peak} (allowed {allowed}; after imports {imported}, before the first round {ready})")


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="fashion_mnist_mini", help="images of MNIST's or CIFAR-10's shape")
    parser.add_argument("--model", default="lenet5", help="a file of conf/model")
    parser.add_argument("--algorithm", default="topk", help="a synchronous one of conf/algorithm")
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--chunk", type=int, default=8)
    parser.add_argument("--threads", type=int, help="Python threads over chunks, one per core by default")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--set", action="append", default=[], help="any other override, such as network=lte")
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="end with one line of JSON, or write it to FILE"
    )
    parser.add_argument("--memory", action="store_true", help="measure the memory of this process and nothing else")
    options = parser.parse_args()
    if options.memory:
        print(json.dumps(memory_here(options)))
        return
    used = memory(options)
    asked = {key: value for key, value in vars(options).items() if key not in ("json", "memory")}
    result = {**measure(options), **used, "options": asked, "machine": facts()}
    show(result)
    if options.json:
        give(result, options.json)


if __name__ == "__main__":
    main()
