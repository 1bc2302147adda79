"""Gradients that simulated processors are working on: computed late, and then together.

A worker's gradient is needed only when its simulated computation ends; then all that are outstanding are computed, in
chunks of equal shape whatever is outstanding, so that the company a gradient is computed in does not change its bits.
On a CPU a chunk of one is as good as any; where launches are dear, chunks are larger and the last one is padded.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from algorithms.cohort import Map, serial_map
from simulator.records.recording import Recording
from simulator.tasks.task import Task


@dataclass(eq=False)
class Request:
    """One worker's gradient, asked for and perhaps not yet computed."""

    at: Tensor
    worker: int
    step: int
    value: Tensor | None = None


class Outstanding:
    """The gradients of n cohorts of one.

    Parameters
    ----------
    chunk : int
        Workers per gradient chunk.
    pool : callable
        `map` over chunks, possibly on several threads.
    """

    def __init__(self, task: Task, recording: Recording, workers: int, chunk: int, pool: Map = serial_map) -> None:
        self.task, self.recording, self.chunk, self.pool = task, recording, chunk, pool
        self.losses = torch.full((workers,), float("nan"), dtype=torch.float64)
        self._waiting: list[Request] = []

    @property
    def train_loss(self) -> float:
        """The mean over workers of each one's latest loss."""
        return float(self.losses.nanmean())

    def ask(self, at: Tensor, worker: int, step: int) -> Request:
        """Ask for a worker's gradient at `at`, shape (d,) or (1, d)."""
        request = Request(at.view(-1), worker, step)
        self._waiting.append(request)
        return request

    def value(self, request: Request) -> Tensor:
        """Give the gradient, shape (1, d), computing all outstanding ones if it is not there yet."""
        if request.value is None:
            start = time.perf_counter()
            todo, self._waiting = sorted(self._waiting, key=lambda other: other.worker), []
            blocks = [todo[i : i + self.chunk] for i in range(0, len(todo), self.chunk)]
            for block, losses in zip(blocks, self.pool(self._compute, blocks), strict=True):
                self._note(block, losses)
            self.recording.gradient_seconds += time.perf_counter() - start
        assert request.value is not None
        return request.value[None]

    def withdraw(self, request: Request) -> None:
        """Give a gradient up; what is computed already stays counted."""
        if request.value is None:
            self._waiting.remove(request)

    def _compute(self, block: list[Request]) -> Tensor:
        padded = block + block[-1:] * (self.chunk - len(block))
        at = torch.stack([request.at for request in padded])
        out = torch.empty_like(at)
        workers, steps = (torch.tensor([getattr(r, name) for r in padded]) for name in ("worker", "step"))
        losses = self.task.gradient(at if len(at) > 1 else at[0], workers, steps, out)[: len(block)].cpu()
        for request, row in zip(block, out, strict=False):
            request.value = row
        return losses

    def _note(self, block: list[Request], losses: Tensor) -> None:
        workers = torch.tensor([request.worker for request in block])
        for request, loss in zip(block, losses.isfinite().tolist(), strict=True):
            if not loss:  # the recording refuses it, and names the worker and its own step
                self.recording.losses(losses, workers, request.step)
        self.losses[workers] = losses.double()
        self.recording.samples += len(block) * self.task.batch
