"""Watches a real run from inside: which wall-clock second of a round belongs to which stage.

The program of an algorithm is a coroutine that a driver resumes with answers, so the time between two ops is known
without touching either side: what passes after the driver has answered an op is the algorithm's, what passes before is
the driver's.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hydra import compose, initialize_config_module

import simulator.drivers.record as record
from algorithms.cohort import Cohort
from algorithms.ops import Gradient, Mark, Work
from simulator.clock import Clock
from simulator.config import register
from simulator.runner import Run
from simulator.trace import TraceWriter

_INSIDE = {"clock": (Clock, "play"), "bit counters": (record, "tally"), "trace writing": (TraceWriter, "append")}


def built(overrides: list[str], folder: Path) -> Run:
    """Build the run that the command line would, with these overrides."""
    register()
    with initialize_config_module("conf", version_base="1.3"):
        return Run(compose("config", overrides=["progress=false", "cache=off", *overrides]), folder)


class Rounds:
    """Stands in for the algorithm of a run, times each of its rounds, and calls `between` after each, off the clock.

    Parameters
    ----------
    run : Run
        Not yet executed, of a synchronous algorithm and with ``parts=1``.
    between : callable
        What shall run between two rounds, such as the reference that rounds are compared with.

    Attributes
    ----------
    seconds, gradient, evaluation : list of float
        Of each round: all of it without evaluation; answering the gradient op; evaluating (0 where that was not due).
    cpu : list of float
        Processor seconds of each round, all threads together, evaluation included where it was due.
    gradients : list of int
        Gradients of single workers that each round asked for: n where all take one local step.
    stages : dict of str to list of float
        Seconds of each round by stage; they add up to `seconds`.
    inside : dict of str to list of float
        Seconds of each round in parts of the driver, which the stages contain.
    """

    def __init__(self, run: Run, between: Callable[[], object] = lambda: None) -> None:
        self.run_of, self.between = run, between
        self.seconds: list[float] = []
        self.gradient: list[float] = []
        self.evaluation: list[float] = []
        self.cpu: list[float] = []
        self.gradients: list[int] = []
        self.stages: dict[str, list[float]] = defaultdict(list)
        self.inside: dict[str, list[float]] = defaultdict(list)
        self._now: dict[str, float] = defaultdict(float)
        self._asked = 0
        self._algorithm, self._program = run.algorithms[0], None
        run.algorithms[0] = self
        evaluate = run.task.evaluate
        run.task.evaluate = self._inner("evaluation", evaluate)  # type: ignore[method-assign]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._algorithm, name)

    def run(self, cohort: Cohort, rounds: int) -> Rounds:
        """Begin the program; the driver then calls `send`."""
        self._program = self._algorithm.run(cohort, rounds)
        self._op: Any = None
        self._mark, self._cpu = time.perf_counter(), time.process_time()
        return self

    def send(self, answer: Any) -> Any:
        """Resume the program up to its next op."""
        begun = time.perf_counter()
        if self._op is not None:
            self._now[f"driver: {_name(self._op)}"] += begun - self._mark
        if isinstance(self._op, Mark):
            self._close()
            begun = time.perf_counter()
        before = self._op
        if isinstance(before, Gradient):
            self._asked += len(answer)
        self._op = self._program.send(answer)  # type: ignore[attr-defined]
        self._mark = time.perf_counter()
        self._now[f"algorithm: after {_name(before)}"] += self._mark - begun
        return self._op

    def _close(self) -> None:
        now, self._now = self._now, defaultdict(float)
        evaluation = now.pop("evaluation", 0.0)
        now["driver: mark"] -= evaluation
        for name in _INSIDE:
            self.inside[name].append(now.pop(name, 0.0))
        self.seconds.append(sum(now.values()))
        self.gradient.append(now["driver: gradient"])
        self.evaluation.append(evaluation)
        for name, seconds in now.items():
            self.stages[name].append(seconds)
        self.cpu.append(time.process_time() - self._cpu)
        self.gradients.append(self._asked)
        self._asked = 0
        self.between()
        self._cpu = time.process_time()

    def _inner(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> Any:
            begun = time.perf_counter()
            try:
                return function(*args)
            finally:
                self._now[name] += time.perf_counter() - begun

        return timed

    @contextmanager
    def _watching(self) -> Iterator[None]:
        patches = [patch.object(o, n, self._inner(name, getattr(o, n))) for name, (o, n) in _INSIDE.items()]
        for one in patches:
            one.start()
        try:
            yield
        finally:
            for one in patches:
                one.stop()

    def execute(self) -> dict[str, Any]:
        """Run to the end, watched; the summary is the run's own."""
        with self._watching():
            return self.run_of.execute()


def medians(series: dict[str, list[float]], skip: int) -> dict[str, float]:
    """Give the median of each series without its first `skip` values; series that end there are left out."""
    return {name: statistics.median(values[skip:]) for name, values in series.items() if values[skip:]}


def table(stages: dict[str, float], inside: dict[str, float], total: float) -> str:
    """Write stages and what they contain as milliseconds and shares of a round."""
    lines = [f"    {name:36s}{s * 1e3:9.2f} ms{s / total:8.1%}" for name, s in stages.items() if s >= 1e-4]
    within = ", ".join(f"{name} {s * 1e3:.2f} ms ({s / total:.1%})" for name, s in inside.items())
    return "\n".join([*lines, f"    contained in these: {within}"])


def _name(op: Any) -> str:
    if isinstance(op, Work):
        return f"work '{op.kind}'"
    return "start" if op is None else "gradient" if isinstance(op, Gradient) else type(op).__name__.lower()
