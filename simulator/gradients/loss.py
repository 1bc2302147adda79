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


IGNORED = -100  # as in `torch.nn.functional.cross_entropy`


def counted_cross_entropy(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return each worker's mean cross entropy over the predictions that count, and its gradient.

    Parameters
    ----------
    logits : Tensor, shape (w * B, classes) or (w * B, classes, T)
        The samples of worker r are rows r B to (r + 1) B - 1.
    targets : Tensor, shape (w, B) or (w, B, T)
        Classes, int64; -100 marks predictions that do not count.

    Returns
    -------
    losses : Tensor, shape (w,)
        nan for a worker without predictions that count, whose gradient is 0.
    gradient : Tensor
        Of the shape of `logits`.

    Raises
    ------
    ValueError
        If logits and targets do not fit together.
    """
    if logits.dim() < 2 or (len(logits), *logits.shape[2:]) != tuple(targets.flatten(0, 1).shape):
        raise ValueError(f"model: expected logits for targets {tuple(targets.shape)}, got {tuple(logits.shape)}")
    rows = logits.movedim(1, -1)  # of a model whose classes come last before it turns them: no copy
    log_p = torch.log_softmax(rows, -1)
    counted = targets.flatten(0, 1) != IGNORED
    number = counted.view(len(targets), -1).sum(1)
    picks = targets.flatten(0, 1).clamp(min=0)[..., None]
    lost = log_p.gather(-1, picks).masked_fill_(~counted[..., None], 0)
    losses = lost.view(len(targets), -1).sum(1).neg_() / number
    gradient = log_p.exp_()
    gradient.scatter_(-1, picks, gradient.gather(-1, picks).sub_(1))
    share = counted.view(len(targets), -1) / number.clamp(min=1)[:, None].to(logits.dtype)
    gradient.mul_(share.view(picks.shape))
    return losses, gradient.movedim(-1, 1)
