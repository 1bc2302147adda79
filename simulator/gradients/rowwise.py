"""Gradients of any module: one worker after the other, or all under `torch.func.vmap`."""

from __future__ import annotations

import copy
import threading

import torch
from torch import Tensor, nn

from algorithms.layout import Layout


class Replicas:
    """One private copy of a module per thread, whose parameters are pointed at the caller's vector.

    Modules keep their parameters in themselves, so two threads that put different vectors into one module would
    overwrite each other; a copy per thread costs d numbers once.

    Parameters
    ----------
    module : nn.Module
        Never changed.
    """

    def __init__(self, module: nn.Module) -> None:
        self.layout = Layout.of(module)
        self.recurrent = any(isinstance(layer, nn.RNNBase) for layer in module.modules())
        self._module = module
        self._local = threading.local()

    def mine(self) -> nn.Module:
        """Return this thread's copy."""
        if not hasattr(self._local, "module"):
            self._local.module = copy.deepcopy(self._module).requires_grad_()
        module: nn.Module = self._local.module
        return module

    def at(self, at: Tensor) -> tuple[nn.Module, list[nn.Parameter]]:
        """Return this thread's copy with parameters that are views of `at`, shape (d,)."""
        module = self.mine()
        parameters = list(module.parameters())
        for parameter, value in zip(parameters, self.layout.views(at.detach()), strict=True):
            parameter.data = value
        return module, parameters

    def forward(self, at: Tensor, inputs: Tensor) -> Tensor:
        """Evaluate the module at `at`, shape (d,), on `inputs`, shape (N, ...)."""
        module, _ = self.at(at)
        with torch.no_grad():
            logits: Tensor = module(inputs)
        return logits


def loop(replicas: Replicas, at: Tensor, inputs: Tensor, targets: Tensor, out: Tensor) -> Tensor:
    """Differentiate worker by worker; a row depends on nothing but its own arguments.

    Parameters and result are those of `Chain.gradients`.
    """
    losses = out.new_empty(len(out))
    module, parameters = replicas.at(at if at.dim() == 1 else at[0])
    for r in range(len(out)):
        if at.dim() == 2 and r > 0:
            module, parameters = replicas.at(at[r])
        with torch.enable_grad():
            loss = nn.functional.cross_entropy(module(inputs[r]), targets[r])
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
        torch._foreach_copy_(replicas.layout.views(out[r]), list(gradients))
        losses[r].copy_(loss.detach())
    return losses


def vmap(replicas: Replicas, at: Tensor, inputs: Tensor, targets: Tensor, out: Tensor) -> Tensor:
    """Differentiate all workers under one `vmap(grad)`.

    Parameters and result are those of `Chain.gradients`.
    """
    module = replicas.mine()
    layout = replicas.layout

    def loss(values: tuple[Tensor, ...], x: Tensor, y: Tensor) -> Tensor:
        logits = torch.func.functional_call(module, dict(zip(layout.names, values, strict=True)), (x,))
        return nn.functional.cross_entropy(logits, y)

    if replicas.recurrent:
        at = at.expand(len(out), -1)  # its kernels add in place, which fails where only the inputs have a worker axis
    # by tensor, not by flat vector: the gradient of slicing would fill d numbers per tensor
    differentiate = torch.func.vmap(torch.func.grad_and_value(loss), (None if at.dim() == 1 else 0, 0, 0))
    gradients, losses = differentiate(tuple(layout.views(at.detach())), inputs, targets)
    torch._foreach_copy_(layout.views(out), list(gradients))
    result: Tensor = losses
    return result
