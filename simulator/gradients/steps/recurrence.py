"""Per-worker gradients of one layer of an LSTM or a GRU, read in one direction.

N = w B sequences of T steps, h hidden units, worker-major and with the samples first. The inputs' part of all gates is
one product for the whole sequence. The way back through time fills D (N, T, gates h), the gradient with respect to the
gates, after which all gradients of weights are batched products over the workers: dW_ih = D^T x, dW_hh = D^T h_before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from simulator.gradients.steps.products import linear, outer


@dataclass(frozen=True)
class Weights:
    """Where the tensors of one layer and direction lie in the layout.

    Parameters
    ----------
    inputs, states : int
        W_ih (gates h, inputs) and W_hh (gates h, h).
    biases : tuple of int
        b_ih and b_hh, both (gates h,), or none.
    """

    inputs: int
    states: int
    biases: tuple[int, ...]

    @property
    def positions(self) -> tuple[int, ...]:
        """All of them."""
        return (self.inputs, self.states, *self.biases)

    def write(
        self, from_inputs: Tensor, from_states: Tensor, x: Tensor, before: Tensor, slab: Sequence[Tensor], workers: int
    ) -> None:
        """Write each worker's gradients, given those of the gates' two parts (N, T, gates h) and what was multiplied.

        `x` has shape (N, T, inputs), `before` (N, T, h): the state before each step.
        """
        d_inputs, d_states, x, before = (
            tensor.reshape(workers, -1, tensor.shape[2]) for tensor in (from_inputs, from_states, x, before)
        )
        outer(d_inputs, x, slab[self.inputs])
        outer(d_states, before, slab[self.states])
        for position, part in zip(self.biases, (d_inputs, d_states), strict=bool(self.biases)):
            torch.sum(part, 1, out=slab[position])


def order(steps: int, *, reverse: bool) -> list[int]:
    """Give the steps in the order in which they are read."""
    return list(range(steps))[::-1] if reverse else list(range(steps))


def states_before(y: Tensor, first: Tensor, *, reverse: bool) -> Tensor:
    """Give the state before each step, shape (N, T, h), of those after it."""
    return torch.cat((y[:, 1:], first[:, None]) if reverse else (first[:, None], y[:, :-1]), 1)


@dataclass(frozen=True)
class Lstm:
    """Gates i, f, g, o: c' = f c + i g, h' = o tanh(c')."""

    weights: Weights
    reverse: bool = False

    def forward(
        self, x: Tensor, first: Sequence[Tensor], values: Sequence[Tensor]
    ) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, ...]]:
        """Read `x` (N, T, inputs) from h and c, both (N, h); give h after each step (N, T, h) and c at the end."""
        at = self.weights
        bias = values[at.biases[0]] + values[at.biases[1]] if at.biases else None
        gates = linear(x, values[at.inputs], bias)
        recurrent = values[at.states]
        state, cell = first
        size = state.shape[1]
        y = x.new_empty((*x.shape[:2], size))
        cells = torch.empty_like(y)
        for t in order(x.shape[1], reverse=self.reverse):
            gate = gates[:, t].add_(linear(state, recurrent))
            i, f, g, o = gate.split(size, 1)
            gate[:, : 2 * size].sigmoid_()
            g.tanh_()
            o.sigmoid_()
            cell = torch.mul(f, cell, out=cells[:, t]).addcmul_(i, g)
            state = torch.mul(o, cell.tanh(), out=y[:, t])
        return (y, cell.clone()), (x, *first, y, cells, gates)

    def backward(
        self,
        g: Sequence[Tensor],
        kept: tuple[Tensor, ...],
        values: Sequence[Tensor],
        slab: Sequence[Tensor],
        workers: int,
        *,
        onward: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Write the weights' gradients into the slab and return those of x (x itself if nobody wants it), h and c."""
        x, h, c, y, cells, gates = kept
        size, turned = h.shape[1], values[self.weights.states].mT
        i, f, m, o = gates.split(size, 2)
        bent = cells.tanh()
        # what d c and d h of each step are multiplied with, for all steps at once
        d = torch.empty_like(gates)
        before = states_before(cells, c, reverse=self.reverse)
        torch.mul(m, _sigmoid_slope(i), out=d[..., :size])
        torch.mul(before, _sigmoid_slope(f), out=d[..., size : 2 * size])
        torch.mul(i, 1 - m * m, out=d[..., 2 * size : 3 * size])
        torch.mul(bent, _sigmoid_slope(o), out=d[..., 3 * size :])
        through = (1 - bent.mul_(bent)).mul_(o)
        gy, dc = g
        dh = torch.zeros_like(h)
        for t in reversed(order(x.shape[1], reverse=self.reverse)):
            dh = dh + gy[:, t]
            dc = torch.addcmul(dc, dh, through[:, t])
            d[:, t, : 3 * size].unflatten(1, (3, size)).mul_(dc[:, None])
            d[:, t, 3 * size :].mul_(dh)
            dh = linear(d[:, t], turned)
            dc = dc * f[:, t]
        self.weights.write(d, d, x, states_before(y, h, reverse=self.reverse), slab, workers)
        return linear(d, values[self.weights.inputs].mT) if onward else x, dh, dc


@dataclass(frozen=True)
class Gru:
    """Gates r, z, n: n = tanh(x_n + r h_n), h' = n + z (h - n)."""

    weights: Weights
    reverse: bool = False

    def forward(
        self, x: Tensor, first: Sequence[Tensor], values: Sequence[Tensor]
    ) -> tuple[tuple[Tensor], tuple[Tensor, ...]]:
        """Read `x`, shape (N, T, inputs), from h (N, h); give h after each step, shape (N, T, h)."""
        at = self.weights
        b_inputs, b_states = (values[at.biases[0]], values[at.biases[1]]) if at.biases else (None, None)
        gates = linear(x, values[at.inputs], b_inputs)
        (state,) = first
        size = state.shape[1]
        y = x.new_empty((*x.shape[:2], size))
        news = torch.empty_like(y)  # h_n, the states' part of n
        for t in order(x.shape[1], reverse=self.reverse):
            part = linear(state, values[at.states], b_states)
            gate = gates[:, t]
            gate[:, : 2 * size].add_(part[:, : 2 * size]).sigmoid_()
            r, z, n = gate.split(size, 1)
            news[:, t] = part[:, 2 * size :]
            n.addcmul_(r, part[:, 2 * size :]).tanh_()
            state = torch.lerp(n, state, z, out=y[:, t])
        return (y,), (x, *first, y, news, gates)

    def backward(
        self,
        g: Sequence[Tensor],
        kept: tuple[Tensor, ...],
        values: Sequence[Tensor],
        slab: Sequence[Tensor],
        workers: int,
        *,
        onward: bool,
    ) -> tuple[Tensor, Tensor]:
        """Write the weights' gradients into the slab and return those of x (x itself if nobody wants it) and h."""
        x, h, y, news, gates = kept
        size, turned = h.shape[1], values[self.weights.states].mT
        r, z, n = gates.split(size, 2)
        before = states_before(y, h, reverse=self.reverse)
        # what d h of each step is multiplied with, for all steps at once; the parts differ in n's
        d_states = torch.empty_like(gates)
        d_new = (1 - z).mul_(1 - n * n)
        torch.mul(d_new * news, _sigmoid_slope(r), out=d_states[..., :size])
        torch.mul(before - n, _sigmoid_slope(z), out=d_states[..., size : 2 * size])
        torch.mul(d_new, r, out=d_states[..., 2 * size :])
        (gy,) = g
        dh = torch.zeros_like(h)
        for t in reversed(order(x.shape[1], reverse=self.reverse)):
            dh = dh + gy[:, t]
            d_new[:, t].mul_(dh)
            d_states[:, t].unflatten(1, (3, size)).mul_(dh[:, None])
            dh = linear(d_states[:, t], turned).addcmul_(dh, z[:, t])
        d_inputs = torch.cat((d_states[..., : 2 * size], d_new), 2)
        self.weights.write(d_inputs, d_states, x, before, slab, workers)
        return linear(d_inputs, values[self.weights.inputs].mT) if onward else x, dh


def _sigmoid_slope(s: Tensor) -> Tensor:
    return (1 - s).mul_(s)
