"""``python -m simulator.calibrate [key=value ...]``: find the fastest gradient method for a configuration, and keep it.

The overrides are those of ``python -m simulator``. Each method computes the gradients of one chunk of workers, all
methods in turn, `repeats` times (one more argument, 9 unless given); medians of the process's CPU time count, on a GPU
of real time. Later runs of the same model, batch, chunk, type and device with ``gradient_method=auto`` take what was
fastest here. That changes their trajectories' last bits, so they are trained anew. Keep the machine quiet meanwhile.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

import torch
from hydra import compose, initialize_config_module
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table
from torch import Tensor

from simulator.arguments import split
from simulator.building import built
from simulator.config import check, register, reporting
from simulator.gradients.engine import METHODS, GradientEngine
from simulator.store.methods import chunk_of, described, keep
from simulator.tasks.modelled import Modelled
from simulator.tasks.task import Task
from simulator.threads import deterministic_gpu, prepare

# A method must be faster than the rule's by so much: less is noise, and the rule's spares training anew.
GAIN = 1.05


def candidates(task: Modelled, inputs: Tensor, targets: Tensor) -> tuple[dict[str, GradientEngine], list[str]]:
    """Make an engine for each method that can do the task's model; say of the others why not."""
    engines, refusals = dict[str, GradientEngine](), list[str]()
    for method in METHODS:
        if method == "auto":
            continue
        try:
            engine = task.engine(method)
        except ValueError as error:
            refusals.append(str(error))
            continue
        engine.try_out(inputs, targets)
        refusals += engine.fallbacks
        if engine.method == method:
            engines[method] = engine
    return engines, refusals


def measure(
    engines: dict[str, GradientEngine], at: Tensor, inputs: Tensor, targets: Tensor, repeats: int
) -> dict[str, float]:
    """Give the median seconds that each engine takes for a chunk, after one call to warm up; all take turns.

    Parameters
    ----------
    engines : dict of str to GradientEngine
    at : Tensor, shape (d,)
    inputs, targets : Tensor, shapes (w, B, ...) and (w, B) or (w, B, T)
    repeats : int
    """
    out = at.new_empty((len(inputs), at.numel()))
    clock: Callable[[], float] = time.perf_counter if at.is_cuda else time.process_time
    seconds: dict[str, list[float]] = {method: [] for method in engines}
    for _ in range(repeats + 1):
        for method, engine in engines.items():
            begun = clock()
            engine(at, inputs, targets, out)
            if at.is_cuda:
                torch.cuda.synchronize(at.device)
            seconds[method].append(clock() - begun)
    return {method: median(times[1:]) for method, times in seconds.items()}


def chosen(seconds: dict[str, float], rule: str) -> str:
    """Give the fastest method, or the rule's where none is faster by `GAIN`."""
    best = min(seconds, key=lambda method: seconds[method])
    return best if seconds[rule] > GAIN * seconds[best] else rule


def main(arguments: Sequence[str]) -> None:
    """Measure, print and store.

    Raises
    ------
    ValueError
        If the configuration is wrong, or its task has no model.
    """
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return
    given, overrides = split(arguments, ("repeats",))
    if not (told := given.get("repeats", "9")).isdigit() or int(told) < 1:
        raise ValueError(f"repeats: expected a whole number, at least 1, got {told!r}")
    register()
    with initialize_config_module("conf", version_base="1.3"):
        config = compose("config", overrides=overrides)
    calibrate(config, int(told))


def calibrate(config: DictConfig, repeats: int) -> None:
    """Measure the methods for a configuration, print them and store the choice."""
    check(config)
    prepare(config.kernels)
    description = described(config)
    config.gradient_method = "auto"  # the rule's, to compare with; whatever was asked for
    task: Task = built(config.task, "task")
    if not isinstance(task, Modelled):
        raise ValueError(f"task: expected one with a model, whose gradients have methods, got {config.task.name}")
    if task.device.type == "cuda":
        deterministic_gpu()
    inputs, targets = task.batches(torch.arange(chunk_of(config)), 0)
    engines, refusals = candidates(task, inputs, targets)
    seconds = measure(engines, task.initial(config.seed), inputs, targets, repeats)
    rule = task.gradient_method
    method = chosen(seconds, rule)
    path = keep(description, method, seconds)
    _print(
        f"{config.task.name}, {config.model.name}: {inputs.shape[0]} workers x {config.batch}", seconds, rule, method
    )
    for refusal in refusals:
        print(refusal)
    print(f"gradient_method=auto takes {method} from now on: {path}")


def _print(title: str, seconds: dict[str, float], rule: str, method: str) -> None:
    table = Table("method", "milliseconds", "of the rule's", "", title=title, title_justify="left")
    for name, value in sorted(seconds.items(), key=lambda item: item[1]):
        about = ", ".join(word for word, is_it in (("rule", name == rule), ("chosen", name == method)) if is_it)
        table.add_row(name, f"{value * 1e3:.2f}", f"{value / seconds[rule]:.2f}", about)
    Console(width=max(Console().width, 100)).print(table)


if __name__ == "__main__":
    reporting(lambda: main(sys.argv[1:]))
