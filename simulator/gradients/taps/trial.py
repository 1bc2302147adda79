"""A model's first trial: do the taps give what one worker after the other gives?"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from simulator.gradients.norule import NoRule
from simulator.gradients.rowwise import Replicas, loop
from simulator.gradients.taps.taps import Taps

_SAMPLES = 2  # per worker; batch normalisation needs two
_CLOSE = 1e-6  # of the largest gradient; in float64 both ways agree to about 1e-12


def why_not(module: nn.Module, inputs: Tensor, targets: Tensor, *, rows: bool = False) -> str | None:
    """Compare on a few samples, in float64 and at the module's own parameters.

    Rules see which functions use a parameter, but not whether a module mixes the samples of a batch in some other way
    (a mean over all samples, say), which is why the results are compared.

    Parameters
    ----------
    module : nn.Module
        It is not changed.
    inputs, targets : Tensor, shapes (w, B, ...) and (w, B) or (w, B, T)
        Any batch of the task.
    rows : bool
        Whether each worker has parameters of its own.

    Returns
    -------
    str or None
        Why the module has no taps; None if it has.
    """
    shadow = copy.deepcopy(module).double()
    at = torch.cat([parameter.detach().flatten() for parameter in shadow.parameters()])
    if rows:
        at = torch.stack((at, 0.9 * at))
    # two workers that differ whatever w is: the first, and the last with its last axis turned round
    pair = torch.stack((inputs[0, :_SAMPLES], inputs[-1, :_SAMPLES].flip(-1)))
    pair = pair.double() if pair.is_floating_point() else pair
    wanted = torch.stack((targets[0, :_SAMPLES], targets[-1, :_SAMPLES]))
    replicas = Replicas(shadow)
    expected, found = at.new_empty((2, 2, at.shape[-1])).unbind()
    losses = loop(replicas, at, pair, wanted, expected)
    try:
        given = Taps(replicas).gradients(at, pair, wanted, found)
    except NoRule as reason:
        return f"no rule for {reason}"
    except RuntimeError as error:
        return f"it fails on the samples of several workers: {str(error).splitlines()[0]}"
    scale = float(expected.nan_to_num().abs().max())
    same = torch.allclose(found, expected, rtol=0, atol=_CLOSE * scale, equal_nan=True)
    if not same or not torch.allclose(given, losses, rtol=_CLOSE, equal_nan=True):
        return "it mixes the samples of different workers"
    return None
