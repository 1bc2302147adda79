"""Which functions have a rule: how a call with parameters among its arguments becomes a step on one tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from simulator.gradients.norule import NoRule
from simulator.gradients.steps.convolution import Convolution
from simulator.gradients.steps.elementwise import Scale, Shift
from simulator.gradients.steps.embedding import Lookup
from simulator.gradients.steps.normalisation import BatchNormalisation, GroupNormalisation, LayerNormalisation
from simulator.gradients.steps.projection import Projection
from simulator.gradients.taps.recurrent import gru, lstm
from simulator.gradients.taps.tape import Step, Tap, Tape

Find = Callable[[Any], int | None]  # where a parameter lies in the layout; None for anything else


def _apply(tape: Tape, x: Tensor, step: Step, positions: Sequence[int | None]) -> Tensor:
    tape.require_samples(x)
    result: Tensor = Tap.apply(x, tape.anchor, step, [p for p in positions if p is not None], tape)
    return result


def _place(find: Find, parameter: Any, what: str) -> int:
    """Give the position of a parameter; NoRule for a tensor that was made from some."""
    position = find(parameter)
    if position is None:
        raise NoRule(f"{what} that is no parameter of the model")
    return position


def _maybe(find: Find, parameter: Any, what: str) -> int | None:
    return None if parameter is None else _place(find, parameter, what)


def _linear(tape: Tape, find: Find, x: Tensor, weight: Any, bias: Any = None) -> Tensor:
    step = Projection(_place(find, weight, "a weight"), _maybe(find, bias, "a bias"))
    return _apply(tape, x, step, (step.weight, step.bias))


def _conv2d(
    tape: Tape,
    find: Find,
    x: Tensor,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    if tape.rows:
        raise NoRule("a convolution with weights for each worker")  # grouped ones gain little, and nothing on a CPU
    if isinstance(padding, str) or x.dim() != 4:
        raise NoRule(f"padding={padding!r} and images of {x.dim()} axes")
    s, p, d = ((size, size) if isinstance(size, int) else tuple(size) for size in (stride, padding, dilation))
    step = Convolution(_place(find, weight, "a weight"), _maybe(find, bias, "a bias"), s, p, d, groups)
    return _apply(tape, x, step, (step.weight, step.bias))


def _embedding(
    tape: Tape,
    find: Find,
    symbols: Tensor,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    if max_norm is not None or scale_grad_by_freq or sparse:
        raise NoRule("an embedding with max_norm, scale_grad_by_freq or sparse")
    padding = None if padding_idx is None else padding_idx % len(weight)
    step = Lookup(_place(find, weight, "a table"), padding)
    return _apply(tape, symbols, step, (step.weight,))


def _group_norm(
    tape: Tape, find: Find, x: Tensor, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    w, b = _place(find, weight, "a scale"), _place(find, bias, "a shift")
    return _apply(tape, x, GroupNormalisation(w, b, eps, tape.workers, num_groups), (w, b))


def _layer_norm(
    tape: Tape,
    find: Find,
    x: Tensor,
    normalized_shape: Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Tensor:
    w, b = _place(find, weight, "a scale"), _maybe(find, bias, "a shift")
    return _apply(tape, x, LayerNormalisation(w, b, eps, tape.workers, tuple(normalized_shape)), (w, b))


def _batch_norm(
    tape: Tape,
    find: Find,
    x: Tensor,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if not training or running_mean is not None:
        raise NoRule("running statistics")
    w, b = _maybe(find, weight, "a scale"), _maybe(find, bias, "a shift")
    if x.dim() < 2 or len(x) != tape.samples:
        raise NoRule(f"batch normalisation of shape {tuple(x.shape)}, expected {tape.samples} samples first")
    return _apply(tape, x, BatchNormalisation(w, b, eps, tape.workers), (w, b))


def _elementwise(kind: type[Shift] | type[Scale]) -> Callable[..., Tensor]:
    def rule(tape: Tape, find: Find, a: Any, b: Any) -> Tensor:
        x, position = (a, find(b)) if find(a) is None else (b, find(a))
        if position is None or find(x) is not None or not isinstance(x, Tensor):
            raise NoRule("a sum or product of parameters")
        shape = tape.shapes[position]
        per_sample = len(shape) == x.dim() and shape[0] != 1
        if per_sample or torch.broadcast_shapes(shape, x.shape) != x.shape:
            raise NoRule(f"a parameter of shape {tuple(shape)} beside an input of {tuple(x.shape)}")
        return _apply(tape, x, kind(position, shape), (position,))

    return rule


# Batch normalisation mixes samples: its rule holds without parameters too.
RULES: dict[Any, Callable[..., Any]] = {
    functional.linear: _linear,
    torch.conv2d: _conv2d,
    functional.embedding: _embedding,
    functional.group_norm: _group_norm,
    functional.layer_norm: _layer_norm,
    functional.batch_norm: _batch_norm,
    torch.lstm: lstm,
    torch.gru: gru,
    torch.add: _elementwise(Shift),
    Tensor.add: _elementwise(Shift),
    torch.mul: _elementwise(Scale),
    Tensor.mul: _elementwise(Scale),
}
ALWAYS = frozenset({functional.batch_norm})
