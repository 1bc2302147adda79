"""One run from its configuration: build the parts, choose the driver, record, summarise."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from algorithms.cohort import Cohort
from algorithms.messaging import Messaging
from algorithms.ops import SERVER
from simulator.budget import within_budget
from simulator.building import built, calibrate, conditions
from simulator.clock import Clock
from simulator.config import STATE_DTYPES, check, plain
from simulator.drivers.cosimulate import Cosimulator, Program, Stranded
from simulator.drivers.meeting import InProcess, Meeting
from simulator.drivers.outstanding import Outstanding
from simulator.drivers.part import Deadlock, Part
from simulator.drivers.record import Recorder
from simulator.fallbacks import collected
from simulator.faults import Faults
from simulator.manifest import manifest
from simulator.progress import Progress
from simulator.records.folder import RunFolder
from simulator.records.links import LinkRecord
from simulator.records.recording import Cadence, Diverged, Recording, digest, waiting
from simulator.resuming import admit
from simulator.room import room
from simulator.settling import settled
from simulator.tasks.validation import torch_device
from simulator.threads import ChunkPool, deterministic_gpu, prepare
from simulator.trace import Header, TraceWriter
from simulator.trackers import NoTracker, Tracker, watching


@dataclass
class World:
    """Which share of the cohort this process hosts."""

    rank: int = 0
    size: int = 1
    meeting: Meeting | None = None


class Run:
    """Everything that one configuration describes, built and checked before anything is computed."""

    def __init__(
        self, config: DictConfig, folder: Path, world: World | None = None, trajectory: str | None = None
    ) -> None:
        check(config)
        prepare(config.kernels)
        self.config, self.folder, self.world, self.trajectory = config, RunFolder(folder), world or World(), trajectory
        self.device = torch_device(config.device)
        if self.device.type == "cuda":
            deterministic_gpu()
        config.device = str(self.device)
        self.network, self.compute = conditions(config)
        self.faults: Faults = built(config.faults, "faults")
        self.tracker: Tracker = built(config.tracker, "tracker")
        self.algorithms: list[Any] = [built(config.algorithm, "algorithm") for _ in range(config.parts)]
        self.task, self.gradients = settled(config)
        calibrate(config, self.compute, self.task)
        if self.task.workers != config.workers:
            raise ValueError(f"task.workers: expected workers={config.workers}, got {self.task.workers}")
        if self.messaging and (config.participation or 1.0) < 1:
            raise ValueError(f"participation: expected 1.0 with {config.algorithm.name}, got {config.participation}")
        if getattr(self.task, "sends_to_evaluate", False) and (self.messaging or self.participation < 1):
            why = "programs talk by messages" if self.messaging else "workers do not all take part in a round"
            raise ValueError(f"task.bn_statistics: expected batch or local where {why}, got averaged")
        if self.faults and not self.messaging:
            raise ValueError(
                f"faults: expected none with {config.algorithm.name}, whose workers meet at collectives, got "
                f"{self.faults.name}; a method with a server program, such as ssp or backup_sgd, can go on without some"
            )
        for algorithm in self.algorithms:
            algorithm.begin(self.task.initial(config.seed))
        share = self.participation / self.world.size, 1 / self.world.size
        self.fallbacks = within_budget(config, self.task, self.algorithms[0], *share)
        self.pool = ChunkPool(config.threads or os.cpu_count() or 1)

    @property
    def messaging(self) -> bool:
        """Whether workers and server are programs of their own, which only a co-simulation can run."""
        return isinstance(self.algorithms[0], Messaging)

    @property
    def participation(self) -> float:
        """The fraction of workers in a round."""
        own = self.config.participation
        return float(own if own is not None else getattr(self.algorithms[0], "participation", 1.0))

    def cohort(self, **options: Any) -> Cohort:
        """Make a cohort of this run's workers."""
        c = self.config
        return Cohort(
            c.workers,
            self.task.layout,
            seed=c.seed,
            chunk=c.chunk,
            participation=self.participation,
            shares=self.task.weights,
            device=self.device,
            dtype=getattr(torch, c.dtype),
            pool=self.pool.map,
            state_dtype=STATE_DTYPES[c.state_dtype],
            room=room(c.state_on, self.folder.path),
            **options,
        )

    def header(self) -> Header:
        """Make the trace's header."""
        return Header(self.config.workers, self.task.batch, self.task.flops_per_step)

    def execute(self, left: RunFolder | None = None, tainted: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
        """Run, or go on, to the end; give the summary.

        Parameters
        ----------
        left : RunFolder, optional
            A run of the same trajectory that was cut off: its checkpoint is gone on with.
        tainted : callable
            Is told why as soon as the trajectory depends on time.

        Raises
        ------
        RunFolderError
            If the folder holds a run that must not be overwritten, or one of another configuration.
        Diverged
            If a loss is not finite; what was recorded stays readable, as with the next two.
        Stranded
            If every worker is lost and the server still waits.
        Deadlock
            If nothing can happen any more.
        """
        config = plain(self.config)
        writes = self.world.rank == 0
        if writes and self.folder.begun:
            admit(self.folder, self.config)
            if self.messaging and not self.folder.complete:
                print("resume: a co-simulated run keeps no checkpoints; it starts over", file=sys.stderr)
            if self.folder.complete:
                return self.folder.read_json("summary")
        recording = self._recording(writes)
        source = self.folder if writes and self.folder.begun else left
        state = source.read_checkpoint() if source is not None and not self.messaging else None
        if writes:
            self.folder.path.mkdir(parents=True, exist_ok=True)
            if state is not None and source is left and left is not None:
                shutil.copyfile(left.trace, self.folder.trace)
            self.folder.write_config(config)
            about = manifest(self.config, self.device, self.compute) | {"gradients": self.gradients}
            self.folder.write_json("manifest", about | {"trajectory": self.trajectory})
            length = state["trace_bytes"] if state else 0
            recording.trace = TraceWriter(self.folder.trace, self.header(), length)
        if state is not None:
            recording.restore(state)
            for algorithm, saved in zip(self.algorithms, state["algorithms"], strict=True):
                algorithm.load(saved)
        tracker = watching(self.tracker if writes else NoTracker(), config, self.folder.path, state)
        with self.pool, Progress(self.config, enabled=writes and self.config.progress) as progress, tracker:
            recording.progress, recording.evaluated = progress.update, tracker.mark
            try:
                extra = self._cosimulate(recording, tainted) if self.messaging else self._record(recording)
            except (Diverged, Deadlock, Stranded):
                recording.flush()
                raise
            finally:
                if recording.trace is not None:
                    recording.trace.close()
        return tracker.ended(self._finish(recording, extra))

    def _recording(self, writes: bool) -> Recording:
        c = self.config
        return Recording(
            self.task,
            Cadence(c.rounds, c.eval_every, c.checkpoint_every),
            folder=self.folder if writes else None,
            clock=Clock(self.header(), self.network, self.compute) if writes and not self.messaging else None,
            links=LinkRecord(self.network) if writes else None,
            pool=self.pool.map,
        )

    def _record(self, recording: Recording) -> dict[str, Any]:
        world, count = self.world, len(self.algorithms)
        parts = [
            Part(algorithm, self.cohort(part=world.rank * count + i, parts=world.size * count), self.config.rounds)
            for i, algorithm in enumerate(self.algorithms)
        ]
        Recorder(parts, self.task, recording, world.meeting or InProcess()).run()
        return {"racy": False, "racy_because": None} | self.algorithms[0].notes(len(parts[0].cohort.active))

    def _cosimulate(self, recording: Recording, tainted: Callable[[str], None]) -> dict[str, Any]:
        c, algorithm = self.config, self.algorithms[0]
        chunk = 1 if self.device.type == "cpu" else c.chunk
        gradients = Outstanding(self.task, recording, c.workers, chunk, self.pool.map)
        keys = {"workers": c.workers, "seed": c.seed, "faults": self.faults, "tainted": tainted}
        simulator = Cosimulator(gradients, self.task.flops_per_step, self.network, self.compute, recording, **keys)

        def worker(number: int, joins_at: int | None = None) -> Program:
            return algorithm.worker(self.cohort(only=number), c.rounds, *(() if joins_at is None else (joins_at,)))

        programs = {SERVER: algorithm.server(self.cohort(), c.rounds)}
        programs |= {number: worker(number) for number in range(c.workers)}
        because = f"faults={self.faults.name}" if self.faults else None
        try:
            simulator.run(programs, worker)
        finally:
            because = simulator.racy or because
            if recording.trace is not None and because is not None:
                recording.trace.taint(because)
        summary = {"racy": because is not None, "racy_because": because, "ties": "seeded"} | algorithm.notes()
        return summary | ({"faults": simulator.counts()} if self.faults else {})

    def _finish(self, recording: Recording, extra: dict[str, Any]) -> dict[str, Any]:
        last = recording.metrics[-1]
        summary = {
            "complete": True,
            "final_accuracy": last["accuracy"],
            "final_loss": last["loss"],
            **{f"final_{name}": last[name] for name in ("perplexity", "bleu") if last[name] is not None},
            "simulated_seconds": recording.timeline[-1]["seconds"] if recording.timeline else None,
            "uplink_wire_bytes": last["uplink_wire_bytes"],
            "downlink_wire_bytes": last["downlink_wire_bytes"],
            "paper_bits": last["uplink_paper_bits"],
            "coordinates": self.algorithms[0].model.numel(),
            "digest": digest(self.algorithms[0].model),
            "wall_seconds": recording.wall_seconds,
            "gradient_seconds": recording.gradient_seconds,
            "links": recording.links.summary() if recording.links is not None else None,
            "waiting": waiting(recording.timeline[-1]) if recording.timeline else None,
            "fallbacks": collected(self.fallbacks, self.task),
            **extra,
        }
        recording.finish(summary)
        return summary
