"""The loss that every method differentiates: the mean cross entropy of each worker's samples."""

from __future__ import annotations

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return each worker's mean cross entropy and its gradient with respect to the logits.

    Parameters
    ----------
    logits : Tensor, shape (w * B, classes)
        The samples of worker r are rows r B to (r + 1) B - 1.
    targets : Tensor, shape (w, B)
        Classes, int64.

    Returns
    -------
    losses : Tensor, shape (w,)
        -1/B Σ log softmax(z)[target].
    gradient : Tensor, shape (w * B, classes)
        (softmax(z) - onehot(target)) / B.

    Raises
    ------
    ValueError
        If the network does not end in one row of logits per sample.
    """
    if logits.dim() != 2:
        raise ValueError(f"model: expected logits of shape (samples, classes), got {tuple(logits.shape)}")
    picks = targets.reshape(-1, 1)
    log_p = torch.log_softmax(logits, 1)
    losses = log_p.gather(1, picks).view(targets.shape).mean(1).neg_()
    gradient = log_p.exp_()
    # one index per row: the write order cannot matter, so this is deterministic on a GPU too
    gradient.scatter_(1, picks, gradient.gather(1, picks).sub_(1))
    return losses, gradient.div_(targets.shape[1])
