"""The module's own forward pass over all workers' samples, with a tap wherever a parameter is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from simulator.gradients.loss import counted_cross_entropy
from simulator.gradients.norule import NoRule
from simulator.gradients.rowwise import Replicas
from simulator.gradients.taps.rules import ALWAYS, RULES
from simulator.gradients.taps.tape import Tape


class Taps:
    """Run any module once on all w * B samples and take only the gradients of its parameters worker by worker.

    While the module runs, every call of a torch function that is given a parameter is looked up in `RULES`: forward and
    input gradient are those of one big batch, parameter gradients are batched products over the workers (or one kernel
    for each), written straight into views of the caller's `[w, d]` slab. A parameter that is used twice adds up.

    Parameters
    ----------
    replicas : Replicas
        Of the module; each thread works on its own.
    """

    def __init__(self, replicas: Replicas) -> None:
        self._replicas = replicas

    def gradients(self, at: Tensor, inputs: Tensor, targets: Tensor, out: Tensor) -> Tensor:
        """Write each worker's gradient of its mean cross entropy into its row of `out`.

        Parameters and result are those of `Chain.gradients`; targets may have shape (w, B, T), and -100 is not counted.

        Raises
        ------
        NoRule
            If a function without a rule is given a parameter; with rows of parameters, convolutions have
            none, nor has an LSTM on a CPU.
        """
        at = at[0] if len(at) == 1 < at.dim() else at
        module, parameters = self._replicas.at(at if at.dim() == 1 else at[0])
        samples = inputs.flatten(0, 1)
        tape = Tape(self._replicas.layout, at, out, len(samples))
        with torch.enable_grad(), Tapping(tape, parameters, self._replicas.layout.names):
            logits: Tensor = module(samples)
        with torch.no_grad():
            losses, g = counted_cross_entropy(logits.detach(), targets)
        if logits.requires_grad:
            torch.autograd.grad(logits, tape.anchor, g, allow_unused=True)
        tape.finish()
        return losses


class Tapping(TorchFunctionMode):
    """Look at every torch function that is called; only those that are given parameters are replaced.

    Parameters
    ----------
    tape : Tape
        Of this pass.
    parameters : sequence of nn.Parameter
        In the order of the layout.
    names : sequence of str
        Theirs, for messages.
    """

    def __init__(self, tape: Tape, parameters: Sequence[nn.Parameter], names: Sequence[str]) -> None:
        super().__init__()
        self._tape, self._names = tape, names
        self._places = {id(parameter): position for position, parameter in enumerate(parameters)}

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        """Call the function or its rule."""
        kwargs = kwargs or {}
        used = [
            position for argument in _flat((*args, *kwargs.values())) if (position := self._find(argument)) is not None
        ]
        if not used and func not in ALWAYS:
            return func(*args, **kwargs)
        name = self._names[used[0]] if used else getattr(func, "__name__", str(func))
        try:
            if func in RULES:
                return RULES[func](self._tape, self._find, *args, **kwargs)
        except NoRule as reason:
            raise NoRule(f"'{name}': {reason}") from reason
        result = func(*args, **kwargs)
        if any(isinstance(part, Tensor) for part in _flat((result,))):
            raise NoRule(f"'{name}', which {getattr(func, '__name__', func)} uses")
        return result  # a shape or a type

    def _find(self, argument: Any) -> int | None:
        return self._places.get(id(argument))


def _flat(arguments: Sequence[Any]) -> Iterator[Any]:
    for argument in arguments:
        if isinstance(argument, (list, tuple)):
            yield from argument
        else:
            yield argument
