"""Recurrent networks: their layers and directions, each a node of its own.

N sequences of T steps, L layers of h units, D directions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from simulator.gradients.norule import NoRule
from simulator.gradients.steps.recurrence import Gru, Lstm, Weights
from simulator.gradients.taps.tape import RecurrentTap, Tape

Find = Callable[[Any], int | None]


def lstm(tape: Tape, find: Find, x: Any, states: Any, *settings: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Run `torch.lstm`: the output (N, T, D h), and h and c at the end, both (L D, N, h)."""
    if tape.rows and not x.is_cuda:
        # one worker's weights fit a cache for a whole sequence, all workers' do not: measured 1.6 times slower
        raise NoRule("an LSTM with weights for each worker")
    y, (h, c) = _layers(Lstm, tape, find, x, states, *settings)
    return y, h, c


def gru(tape: Tape, find: Find, x: Any, state: Any, *settings: Any) -> tuple[Tensor, Tensor]:
    """Run `torch.gru`: the output (N, T, D h), and h at the end, (L D, N, h)."""
    y, (h,) = _layers(Gru, tape, find, x, (state,), *settings)
    return y, h


def _layers(
    cell: type[Lstm] | type[Gru],
    tape: Tape,
    find: Find,
    x: Tensor,
    states: Any,
    flat: Any,
    has_biases: Any = True,
    layers: int = 1,
    dropout: float = 0.0,
    train: bool = True,
    bidirectional: bool = False,
    batch_first: bool = False,
) -> tuple[Tensor, list[Tensor]]:
    if isinstance(has_biases, (list, tuple)) or not isinstance(flat, (list, tuple)):
        raise NoRule("a recurrent network that reads packed sequences")
    if dropout > 0 and train:
        raise NoRule(f"dropout={dropout} in a recurrent network")
    count = len(flat) // (layers * (2 if bidirectional else 1))
    if count != (4 if has_biases else 2):
        raise NoRule("a recurrent network with projections")
    x = x if batch_first else x.transpose(0, 1)
    if len(x) != tape.samples:
        raise NoRule(f"a recurrent network that reads {len(x)} sequences, expected {tape.samples}")
    ends: list[list[Tensor]] = []
    for _ in range(layers):
        read = []
        for direction in range(2 if bidirectional else 1):
            some = flat[len(ends) * count : (len(ends) + 1) * count]
            weights, reverse = _weights(find, some), direction == 1
            first = [state[len(ends)] for state in states]
            y, *rest = RecurrentTap.apply(tape.anchor, cell(weights, reverse), tape, x, *first)
            ends.append([y[:, 0] if reverse else y[:, -1], *rest])
            read.append(y)
        x = torch.cat(read, 2) if bidirectional else read[0]
    return x if batch_first else x.transpose(0, 1), [torch.stack(end) for end in zip(*ends, strict=True)]


def _weights(find: Find, some: Sequence[Any]) -> Weights:
    positions = [position for tensor in some if (position := find(tensor)) is not None]
    if len(set(positions)) != len(some):
        raise NoRule("a recurrent network whose weights are not parameters of their own")
    return Weights(positions[0], positions[1], tuple(positions[2:]))
