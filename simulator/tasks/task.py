"""What a driver asks of a task.

w workers in a call, n workers in all, d coordinates, B samples per batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from algorithms.cohort import Map, serial_map
from algorithms.layout import Layout
from algorithms.payloads import Payload


@dataclass(frozen=True)
class Evaluation:
    """How good a model is.

    Parameters
    ----------
    loss : float
        Mean loss over the evaluation samples, or the value of the objective.
    accuracy : float or None
        Share of samples classified right, in 0..1; None where nothing is classified.
    perplexity : float or None
        Of a model of text, exp(loss) per symbol: as if it chose among so many equally likely ones.
    bleu : float or None
        Of a translator, 0..100.
    sent : Payload or None
        What each of the n workers sent to the server for it, row by row, in a run without messages.
    """

    loss: float
    accuracy: float | None = None
    perplexity: float | None = None
    bleu: float | None = None
    sent: Payload | None = None


class Task(Protocol):
    """A stochastic optimisation problem shared by n workers."""

    name: str
    layout: Layout
    workers: int
    batch: int
    weights: Tensor
    """Each worker's share of the samples, shape (n,), float64, on the CPU, summing to 1."""
    flops_per_step: float
    """Operations of one worker's forward and backward pass over one batch, counted."""
    optimum: float | None
    """The least possible `Evaluation.loss`, where known: the suboptimality of a model is its loss minus this."""
    device: torch.device
    dtype: torch.dtype

    def initial(self, seed: int) -> Tensor:
        """Draw the starting point, shape (d,)."""
        ...

    def gradient(self, at: Tensor, workers: Tensor, step: int | Tensor, out: Tensor) -> Tensor:
        """Write each worker's stochastic gradient of a step into its row of `out`.

        Several threads may call it at once with different rows.

        Parameters
        ----------
        at : Tensor, shape (d,) or (w, d)
            Where: one point for all, or one per worker.
        workers : Tensor, shape (w,), int64
            Global worker numbers; cheapest on the CPU.
        step : int or Tensor, shape (w,), int64
            Number of the local step, from 0, the same for all rows or one for each; with the seed and the worker's
            number it decides the batch.
        out : Tensor, shape (w, d)
            Overwritten: the gradient of the mean loss of each worker's own batch.

        Returns
        -------
        Tensor, shape (w,)
            Each worker's mean loss over its batch at `at`.
        """
        ...

    def evaluate(self, model: Tensor, pool: Map = serial_map) -> Evaluation:
        """Judge a model, shape (d,); batches go over the `pool`, and no result depends on how many threads that has."""
        ...
