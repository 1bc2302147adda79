"""One pass over a module: the parameters it reads, the slab it fills, and the graph nodes that fill it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor

from algorithms.layout import Layout
from simulator.gradients.norule import NoRule


class Tape:
    """What the nodes of one pass share; never shared between calls, so that any number may run at once.

    Parameters
    ----------
    layout : Layout
        Of the parameters.
    at : Tensor, shape (d,) or (w, d)
        Parameters that all workers share, or one row per worker.
    out : Tensor, shape (w, d)
        Filled with the gradients.
    samples : int
        N, of all workers.
    """

    def __init__(self, layout: Layout, at: Tensor, out: Tensor, samples: int) -> None:
        self.workers, self.samples = len(out), samples
        self.values, self.shapes, self.rows = layout.views(at.detach()), layout.shapes, at.dim() == 2
        # every node depends on it, so that automatic differentiation visits those whose input has no gradient too
        self.anchor = at.new_zeros((), requires_grad=True)
        self._slab = layout.views(out)
        self._written: set[int] = set()

    @contextmanager
    def writing(self, positions: Sequence[int]) -> Iterator[list[Tensor]]:
        """Give where to write the gradients of some tensors: the slab, or for a second use what is then added to it."""
        slab = list(self._slab)
        again = [position for position in positions if position in self._written]
        for position in again:
            slab[position] = torch.empty_like(slab[position], memory_format=torch.contiguous_format)
        yield slab
        for position in again:
            self._slab[position].add_(slab[position])
        self._written.update(positions)

    def finish(self) -> None:
        """Write zeros for the tensors that the module never used."""
        for position, gradient in enumerate(self._slab):
            if position not in self._written:
                gradient.zero_()

    def require_samples(self, x: Tensor) -> None:
        """Raise NoRule unless the first axis of `x` can be the samples of all workers, or their positions."""
        if x.dim() < 2 or len(x) % self.samples:
            raise NoRule(f"an input of shape {tuple(x.shape)}, whose first axis is not that of {self.samples} samples")


class Step(Protocol):
    """See `simulator.gradients.steps`."""

    def forward_kept(self, x: Tensor, values: Sequence[Tensor], /) -> tuple[Tensor, Any]:
        """Give the output, and the tensors that the way back needs."""
        ...

    def backward(
        self, g: Tensor, kept: Any, values: Sequence[Tensor], slab: Sequence[Tensor], workers: int, *, onward: bool
    ) -> Tensor:
        """Write each worker's gradients into the slab and return the input's."""
        ...


class Tap(torch.autograd.Function):
    """A node that applies a step to all samples and writes each worker's gradients on the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, anchor: Tensor, step: Step, positions: Sequence[int], tape: Tape) -> Tensor:
        """Apply the step."""
        y, kept = step.forward_kept(x, tape.values)
        ctx.step, ctx.positions, ctx.tape, ctx.several = step, positions, tape, isinstance(kept, tuple)
        ctx.save_for_backward(*(kept if ctx.several else (kept,)))
        return y

    @staticmethod
    def backward(ctx: Any, *gs: Tensor) -> tuple[Tensor | None, ...]:
        """Write the gradients."""
        kept, tape, onward = ctx.saved_tensors, ctx.tape, ctx.needs_input_grad[0]
        with tape.writing(ctx.positions) as slab:
            kept = kept if ctx.several else kept[0]
            back = ctx.step.backward(gs[0], kept, tape.values, slab, tape.workers, onward=onward)
        return (back if onward else None, None, None, None, None)


class RecurrentTap(torch.autograd.Function):
    """The same for one layer and direction of a recurrent network, which begins in states of its own."""

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, cell: Any, tape: Tape, x: Tensor, *first: Tensor) -> tuple[Tensor, ...]:
        """Read a sequence."""
        outputs, kept = cell.forward(x, first, tape.values)
        ctx.cell, ctx.tape = cell, tape
        ctx.save_for_backward(*kept)
        return outputs

    @staticmethod
    def backward(ctx: Any, *gs: Tensor) -> tuple[Tensor | None, ...]:
        """Write the gradients."""
        tape, onward = ctx.tape, ctx.needs_input_grad[3]
        with tape.writing(ctx.cell.weights.positions) as slab:
            dx, *rest = ctx.cell.backward(gs, ctx.saved_tensors, tape.values, slab, tape.workers, onward=onward)
        return (None, None, None, dx if onward else None, *rest)
