"""Drive a synchronous program by hand over a whole cohort, with gradients that depend on worker, place and step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from algorithms.ops import AtServer, Broadcast, Gather, Gradient, Mark
from tests.algorithms.by_hand import begun, cohort_of, gathered


def gradients(at: Tensor, step: int) -> Tensor:
    """Noisy gradients of two-norms about other points on every worker, shape (w, d)."""
    w, d = at.shape
    noise = torch.randn(w, d, generator=torch.Generator().manual_seed(step)).to(at)
    return (at - torch.arange(w).to(at)[:, None]) * torch.linspace(0.5, 1.5, d).to(at) + 0.3 * noise


def played(algorithm: Any, n: int, rounds: int, watch: Any, d: int = 12, **cohort: Any) -> None:
    """Answer every op of a whole cohort; `watch` sees each `Gradient` and each `Mark` first."""
    world = cohort_of(n, d, **cohort)
    hand = begun(algorithm, world, rounds)
    op: Any = hand.program.send(None)
    while True:
        answer: Any = None
        match op:
            case Gradient(at=at, step=step):
                at = at.expand(n, -1)
                answer = gradients(at, step)
                watch(at, answer)
            case Gather(payload=payload):
                answer = gathered(payload, world)
            case Broadcast(payload=payload):
                answer = payload
            case Mark():
                watch(op)
            case AtServer(function=function, gathered=met):
                answer = function(met)
        try:
            op = hand.program.send(answer)
        except StopIteration:
            return
