"""Classification of real samples, spread over workers.

The samples live on the device, normalised, as two tensors; a step gathers a batch for each worker and hands all of
them to the gradient engine at once.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from algorithms.cohort import Map, serial_map
from algorithms.payloads import Payload
from algorithms.streams import Stream
from simulator.tasks.augmentation import Augmentation
from simulator.tasks.batch_statistics import (
    BN_STATISTICS,
    message,
    normalises_batches,
    put_statistics,
    statistics,
    with_statistics,
)
from simulator.tasks.batches import SAMPLERS
from simulator.tasks.datasets import Dataset
from simulator.tasks.modelled import Modelled
from simulator.tasks.partitions import Partition
from simulator.tasks.task import Evaluation
from simulator.tasks.validation import whole


class Supervised(Modelled):
    """Cross entropy of a classifier on a data set dealt out to n workers; evaluated on the test samples.

    Parameters
    ----------
    dataset : Dataset
        Read at construction.
    model : nn.Module
        Inputs (B, ...) -> logits (B, classes).
    partition : Partition
        Which training samples each worker holds.
    workers : int
        n.
    batch : int
        B, samples per worker and step.
    seed : int
        Of the partition and of the batches; `initial` is given its own.
    device : str or torch.device
        auto, cpu, cuda or cuda:<number>.
    dtype : str or torch.dtype
        float32 or float64, of parameters, inputs and gradients.
    gradient_method : str
        See `GradientEngine`.
    data_dir : str or None
        Where the files are; None searches the usual places.
    batches : str or None
        'shuffle' (a fresh permutation of the worker's samples per epoch) or 'replace' (independent draws); None takes
        the partition's own default.
    evaluation_batch : int
        Test samples per forward pass of `evaluate`; fixed, so that its rounding is.
    augmentation : Augmentation or None
        How training images are changed at random.
    bn_statistics : str
        What batch normalisation takes in an evaluation: 'batch', 'local' or 'averaged' (see `batch_statistics`).
        Training always takes the worker's own batch.
    bn_batches : int
        Training batches on which a worker measures for 'local' and 'averaged'.
    name : str
        What records call the task.

    Raises
    ------
    FileNotFoundError
        If the data set is not on this computer.
    ValueError
        If an argument is out of range, a data file is damaged, or the model does not fit the data set.
    """

    def __init__(
        self,
        *,
        dataset: Dataset,
        model: nn.Module,
        partition: Partition,
        workers: int,
        batch: int,
        seed: int,
        device: str | torch.device = "auto",
        dtype: str | torch.dtype = "float32",
        gradient_method: str = "auto",
        data_dir: str | None = None,
        batches: str | None = None,
        evaluation_batch: int = 250,
        augmentation: Augmentation | None = None,
        bn_statistics: str = "batch",
        bn_batches: int = 8,
        name: str = "supervised",
    ) -> None:
        self._evaluation_batch = whole("task.evaluation_batch", evaluation_batch, 1)
        sampling = partition.batches if batches is None else batches
        if sampling not in SAMPLERS:
            raise ValueError(f"task.batches: expected one of {', '.join(SAMPLERS)}, got {sampling!r}")
        if bn_statistics not in BN_STATISTICS:
            raise ValueError(f"task.bn_statistics: expected one of {', '.join(BN_STATISTICS)}, got {bn_statistics!r}")
        if bn_statistics != "batch" and not normalises_batches(model):
            raise ValueError(f"task.bn_statistics: expected batch for a model without BatchNorm, got {bn_statistics!r}")
        self._bn_statistics, self._bn_batches = bn_statistics, whole("task.bn_batches", bn_batches, 1)
        self.sends_to_evaluate = bn_statistics == "averaged"
        self._augmentation, self._augmenting = augmentation, Stream(seed, "augmentation")
        train, test = dataset.load(data_dir)
        _require_fit(model, train.inputs[:1], dataset.classes)
        super().__init__(
            name=name,
            model=model,
            sample=train.inputs[:1],
            workers=workers,
            batch=batch,
            device=device,
            dtype=dtype,
            gradient_method=gradient_method,
        )
        shards = partition(train.targets, self.workers, Stream(seed, "partition"))
        self.weights = shards.weights
        self._sampler = SAMPLERS[sampling](shards, self.batch, Stream(seed, "batches"))
        self._train, self._test = train.to(self.device, self.dtype), test.to(self.device, self.dtype)

    def batches(self, workers: Tensor, step: int | Tensor) -> tuple[Tensor, Tensor]:
        """Gather the inputs (w, B, ...) and the targets (w, B) of a step."""
        chosen = self._sampler(workers, step).to(self.device)
        inputs = self._train.inputs[chosen]
        if self._augmentation is not None:
            inputs = self._augmentation(inputs, workers, step, self._augmenting)
        return inputs, self._train.targets[chosen]

    def evaluate(self, model: Tensor, pool: Map = serial_map) -> Evaluation:
        """Give the mean cross entropy and the accuracy on all test samples."""
        forward, sent = self._judged(model)
        parts = (part.split(self._evaluation_batch) for part in (self._test.inputs, self._test.targets))
        loss, right, count = self.scores(forward, zip(*parts, strict=True), pool)
        return Evaluation(loss / count, right / count, sent=sent)

    def _judged(self, model: Tensor) -> tuple[Callable[[Tensor], Tensor], Payload | None]:
        """Give the network that is evaluated, and what the workers sent for it."""
        if self._bn_statistics == "batch":
            return lambda inputs: self._engine.forward(model, inputs), None
        fixed, sent = self._measured(model, 0), None
        if self.sends_to_evaluate:
            others = [statistics(self._measured(model, worker)) for worker in range(1, self.workers)]
            sent = message(torch.stack([statistics(fixed), *others]))
            put_statistics(fixed, sent.dense().mean(0))
        return torch.no_grad()(fixed), sent

    def _measured(self, model: Tensor, worker: int) -> nn.Module:
        """Let a worker measure the statistics of its first batches at a model."""
        batches = (self.batches(torch.tensor([worker]), step)[0][0] for step in range(self._bn_batches))
        return with_statistics(self._model, model, batches)


def _require_fit(model: nn.Module, sample: Tensor, classes: int) -> None:
    shape = tuple(sample.shape[1:])
    parameter = next(model.parameters(), None)
    if parameter is not None:
        sample = sample.to(parameter.device, parameter.dtype)
    try:
        with torch.no_grad():
            logits = model(sample)
    except RuntimeError as error:
        raise ValueError(
            f"model: expected one that takes inputs of shape {shape}, got one that fails on them: {error}"
        ) from error
    if tuple(logits.shape) != (1, classes):
        raise ValueError(
            f"model: expected {classes} logits for an input of shape {shape}, got shape {tuple(logits.shape[1:])}"
        )
