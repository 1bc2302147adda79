"""Gradients of w workers, written into one slab."""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from algorithms.layout import Layout
from simulator.gradients.admission import refuse_state, require_fit
from simulator.gradients.chain import Chain
from simulator.gradients.flops import count_flops
from simulator.gradients.norule import NoRule
from simulator.gradients.rowwise import Replicas, loop, vmap
from simulator.gradients.taps import Taps, why_not

METHODS = ("auto", "loop", "vmap", "layers", "taps")


class GradientEngine:
    """Evaluate the gradient of each worker's mean cross entropy.

    Parameters
    ----------
    module : nn.Module
        A classifier: inputs (B, ...) -> logits (B, classes), or (B, classes, T) of T predictions per sample. It is
        copied, never changed.
    method : str
        'loop' takes one worker after the other; 'vmap' is `torch.func.vmap(grad)`; 'layers' runs the whole chunk
        through each layer and writes the weight gradients straight into the slab (see `Chain`); 'taps' does so for any
        module (see `Taps`), and becomes 'loop' or 'vmap' where something has no rule; 'auto' picks by the rule below.
    device, dtype
        Where and in what type parameters, inputs and the slab live.

    Raises
    ------
    ValueError
        If the method is unknown; if 'layers' is asked for and some layer has no rule; if the module keeps running
        statistics or draws random numbers.

    Notes
    -----
    'auto' looks at the layers' types and the device, never at a clock, so that no trajectory depends on a measurement:
    'layers' if every layer has a rule (`nn.Sequential` of Linear, Conv2d and layers without parameters that treat
    samples one by one); else on a CPU 'taps' without convolutions and LSTMs, and 'loop' with them, whose fused kernels
    keep up; elsewhere 'loop' with recurrent layers, which `vmap` cannot batch, and 'vmap' without, where w small passes
    cost w launches of each kernel.
    Processor time of w x B samples over that of one plain forward and backward pass of all samples in float32, one
    thread of an AVX-512 AMD EPYC (`benchmarks/gradients.py`, chunk 8); no GPU was measured:

    ==================  ======  ====  ====  ====
    model, w x B        layers  taps  loop  vmap
    ==================  ======  ====  ====  ====
    softmax 32 x 8      1.35    2.86  3.34  5.80
    MLP 32 x 8          2.04    2.51  3.37  3.82
    MLP 128 x 32        1.44    1.44  2.18  2.08
    LeNet 32 x 8        0.90    0.88  1.90  1.42
    LeNet 32 x 32       0.72    0.67  1.23  1.06
    ResNet-20 8 x 8             1.22  1.29  1.38
    ResNet-20 8 x 32            1.02  1.07  1.27
    char LSTM 8 x 8             1.68  1.74  6.01
    char LSTM 8 x 32            1.47  1.21  3.76
    word LSTM 8 x 8             1.02  1.44  3.19
    attention 8 x 8             0.75  2.12  1.51
    attention 8 x 32            0.74  1.42  1.28
    Transformer 8 x 8           0.79  1.46  1.20
    Transformer 8 x 32          0.68  1.11  1.11
    ==================  ======  ====  ====  ====

    So 'taps' wins by 1.6 to 2.8 with attention and is close to 'loop' on residual networks, where a calibration
    (`python -m simulator.calibrate`) can choose it; a wide vocabulary makes it worth that with an LSTM, too. Where each
    worker has its own parameters, it goes by a chain's layers, or is as fast as a plain pass (Transformer and attention
    8 x 8: 1.02 and 1.01, loop 1.45 and 2.24), or, with convolutions and LSTMs, is the loop. 'vmap' needs three times
    the memory of 'loop', 'taps' the activations of a whole chunk.

    Calls are re-entrant: several threads may call one engine with different slabs. Equal arguments give equal bits on
    one device with one intra-op thread. A row of 'loop' depends on its own arguments only; with the others the bits may
    also depend on the shape of the chunk.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        method: str = "auto",
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if method not in METHODS:
            raise ValueError(f"gradient_method: expected one of {', '.join(METHODS)}, got '{method}'")
        if not dtype.is_floating_point:
            raise ValueError(f"dtype: expected a floating point type, got {dtype}")
        refuse_state(module)
        self.device, self.dtype = torch.device(device), dtype
        self.layout = Layout.of(module)
        if self.layout.size == 0:
            raise ValueError(f"model: expected a module with parameters, got {type(module).__name__} without any")
        self._module = copy.deepcopy(module).to(device=self.device, dtype=dtype)
        self._replicas = Replicas(self._module)
        self._flops: dict[tuple[int, ...], float] = {}
        self._chain, self._no_chain = _chain(self._module)
        self.method = self._resolve(method)
        self._taps = Taps(self._replicas)
        self.untried, self._trying = self.method == "taps", threading.Lock()
        self._taps_rows = False
        self.fallbacks: list[str] = []

    def _resolve(self, method: str) -> str:
        if method == "layers" and self._chain is None:
            raise ValueError(
                f"gradient_method: expected auto, loop, vmap or taps for this model, got layers, which has no rule for "
                f"{self._no_chain}"
            )
        if method != "auto":
            return method
        if self._chain is not None:
            return "layers"
        slower = any(isinstance(layer, (_ConvNd, nn.LSTM)) for layer in self._module.modules())
        return "taps" if self.device.type == "cpu" and not slower else self._without_rules()

    def _without_rules(self) -> str:
        return "loop" if self._replicas.recurrent or self.device.type == "cpu" else "vmap"

    def __call__(self, at: Tensor, inputs: Tensor, targets: Tensor, out: Tensor) -> Tensor:
        """Write the gradients of w workers into `out` and return their losses.

        Parameters
        ----------
        at : Tensor, shape (d,) or (w, d)
            Parameters that all workers share, or one row per worker.
        inputs : Tensor, shape (w, B, ...)
            The samples of each worker.
        targets : Tensor, shape (w, B) or (w, B, T)
            Their classes, int64; in the second form -100 marks predictions that do not count.
        out : Tensor, shape (w, d)
            Overwritten with the gradient of each worker's mean loss (not divided by w). Rows may lie apart, the
            coordinates of a row must not.

        Returns
        -------
        Tensor, shape (w,)
            Mean loss over each worker's B samples at `at`.

        Raises
        ------
        ValueError
            If the shapes or types do not fit together.
        """
        require_fit(self.layout.size, self.dtype, at, inputs, targets, out)
        if self.untried:
            self.try_out(inputs, targets)
        if self.method == "taps" and (at.dim() == 1 or len(at) == 1 or self._taps_rows):
            return self._taps.gradients(at, inputs, targets, out)
        if self._chain is not None and (self.method == "layers" or (self.method == "taps" and targets.dim() == 2)):
            return self._chain.gradients(at, inputs, targets, out)
        return (vmap if self.method == "vmap" else loop)(self._replicas, at, inputs, targets, out)

    def try_out(self, inputs: Tensor, targets: Tensor) -> None:
        """Settle `method` on a first batch: 'taps' becomes 'loop', with a line in `fallbacks`, where it does not hold.

        Once is enough, any batch of the task will do, and a call that finds this undone does it; with other methods
        there is nothing to settle.

        Parameters
        ----------
        inputs, targets : Tensor
            As in a call.
        """
        with self._trying:
            if not self.untried:
                return
            if (reason := why_not(self._module, inputs, targets)) is not None:
                self.method = self._without_rules()
                self.fallbacks.append(f"gradient_method: {self.method} instead of taps for this model: {reason}")
            elif self._chain is None:
                self._taps_rows = why_not(self._module, inputs, targets, rows=True) is None
            self.untried = False

    def forward(self, at: Tensor, inputs: Tensor) -> Tensor:
        """Return the logits, shape (N, classes), of samples (N, ...) at parameters (d,)."""
        if at.shape != (self.layout.size,):
            raise ValueError(f"at: expected shape ({self.layout.size},), got {tuple(at.shape)}")
        if self._chain is not None and self.method == "layers":
            return self._chain.forward(at, inputs)
        return self._replicas.forward(at, inputs)

    def flops(self, inputs_shape: Sequence[int], dtype: torch.dtype | None = None) -> float:
        """Count the operations of one worker's forward and backward pass on a batch of shape (B, ...)."""
        shape = tuple(inputs_shape)
        if shape not in self._flops:
            self._flops[shape] = count_flops(self._module, shape, dtype)
        return self._flops[shape]


def _chain(module: nn.Module) -> tuple[Chain | None, NoRule | None]:
    try:
        return Chain(module), None
    except NoRule as reason:
        return None, reason
