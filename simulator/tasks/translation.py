"""Translation of sentences, spread over workers.

B pairs per batch, L symbols per sentence, its end mark included. Both languages share one subword vocabulary, learned
from the training pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from algorithms.cohort import Map, serial_map
from algorithms.streams import Stream
from simulator.tasks.batches import SAMPLERS
from simulator.tasks.language_model import perplexity, require_logits
from simulator.tasks.modelled import UNCOUNTED, Modelled
from simulator.tasks.partitions import Partition
from simulator.tasks.task import Evaluation
from simulator.tasks.text.bleu import bleu, require_sacrebleu
from simulator.tasks.text.corpus import Bitext
from simulator.tasks.text.decoding import greedy
from simulator.tasks.text.subwords import BEGIN, END, SPECIAL, Subwords
from simulator.tasks.validation import whole


class Translation(Modelled):
    """Mean cross entropy per symbol of the translations; evaluated by loss, accuracy, perplexity and BLEU.

    Parameters
    ----------
    corpus : Bitext
        Read at construction.
    model : nn.Module
        Pairs (B, 2, L) -> logits (B, V, L).
    partition : Partition
        Which training pairs each worker holds; all are of one class to it.
    vocabulary : int
        V. Numbers that the text does not fill stay unused.
    length : int
        L. Longer training pairs are left out, longer test sentences cut off (the reference of BLEU is not).
    workers, batch, seed, batches
        As for `Supervised`.
    device, dtype, gradient_method
        See `GradientEngine`.
    evaluation_batch : int
        Test pairs per forward pass of `evaluate`; fixed, so that its rounding is.
    bleu_sentences : int
        How many of the first test sentences are translated, greedily, for BLEU; 0: none. Needs sacrebleu.
    name : str
        What records call the task.

    Raises
    ------
    FileNotFoundError
        If the text is not on this computer.
    ValueError
        If an argument is out of range, no pair is short enough, or the model does not fit the vocabulary.
    """

    def __init__(
        self,
        *,
        corpus: Bitext,
        model: nn.Module,
        partition: Partition,
        vocabulary: int,
        length: int,
        workers: int,
        batch: int,
        seed: int,
        device: str | torch.device = "auto",
        dtype: str | torch.dtype = "float32",
        gradient_method: str = "auto",
        batches: str | None = None,
        evaluation_batch: int = 50,
        bleu_sentences: int = 0,
        name: str = "translation",
    ) -> None:
        size, length = whole("task.vocabulary", vocabulary, len(SPECIAL) + 1), whole("task.length", length, 2)
        self._evaluation_batch = whole("task.evaluation_batch", evaluation_batch, 1)
        if whole("task.bleu_sentences", bleu_sentences, 0):
            require_sacrebleu(bleu_sentences)
        sampling = partition.batches if batches is None else batches
        if sampling not in SAMPLERS:
            raise ValueError(f"task.batches: expected one of {', '.join(SAMPLERS)}, got {sampling!r}")
        sample = torch.full((1, 2, length), END)
        require_logits(model, sample, (size, length))
        super().__init__(
            name=name,
            model=model,
            sample=sample,
            workers=workers,
            batch=batch,
            device=device,
            dtype=dtype,
            gradient_method=gradient_method,
        )
        train, test = corpus.load()
        self.subwords = Subwords.learn((side for pair in train for side in pair), size)
        coded = [(self.subwords.encode(source), self.subwords.encode(target)) for source, target in train]
        short = [pair for pair in coded if max(map(len, pair)) < length]
        if not short or not test:
            raise ValueError(
                f"task.length: expected some training pairs of fewer than {length} symbols and some test pairs, got "
                f"{len(short)} of {len(train)} and {len(test)}"
            )
        self._inputs, self._targets = (part.to(self.device) for part in padded(short, length))
        coded = [(self.subwords.encode(source), self.subwords.encode(target)) for source, target in test]
        self._test = [part.to(self.device) for part in padded(coded, length)]
        self._sources, self._references = ([pair[i] for pair in test[:bleu_sentences]] for i in (0, 1))
        shards = partition(torch.zeros(len(short), dtype=torch.int64), self.workers, Stream(seed, "partition"))
        self.weights = shards.weights
        self._sampler = SAMPLERS[sampling](shards, self.batch, Stream(seed, "batches"))

    def batches(self, workers: Tensor, step: int | Tensor) -> tuple[Tensor, Tensor]:
        """Gather the pairs (w, B, 2, L) of a step and the symbols to predict (w, B, L)."""
        chosen = self._sampler(workers, step).to(self.device)
        return self._inputs[chosen], self._targets[chosen]

    def evaluate(self, model: Tensor, pool: Map = serial_map) -> Evaluation:
        """Give loss, accuracy and perplexity per symbol of all test pairs, and the BLEU of the first ones."""
        batches = zip(*(part.split(self._evaluation_batch) for part in self._test), strict=True)
        loss, right, count = self.scores(lambda inputs: self._engine.forward(model, inputs), batches, pool)
        return Evaluation(loss / count, right / count, perplexity(loss / count), self._bleu(model, pool))

    def translate(self, model: Tensor, sentences: Sequence[str], pool: Map = serial_map) -> list[str]:
        """Translate sentences greedily with the parameters `model`, shape (d,)."""
        length = self._inputs.shape[2]
        sources, _ = padded([(self.subwords.encode(sentence), []) for sentence in sentences], length)
        batches = sources[:, 0].to(self.device).split(self._evaluation_batch)
        found = pool(lambda some: greedy(lambda pairs: self._engine.forward(model, pairs), some), batches)
        return [self.subwords.decode(numbers) for batch in found for numbers in batch]

    def _bleu(self, model: Tensor, pool: Map) -> float | None:
        if not self._references:
            return None
        return bleu(self.translate(model, self._sources, pool), self._references)


def padded(pairs: Sequence[tuple[list[int], list[int]]], length: int) -> tuple[Tensor, Tensor]:
    """Put pairs of sentences into tensors, cutting off what is too long.

    Returns
    -------
    inputs : Tensor, shape (N, 2, L), int64
        The source with an end mark, and the translation with a begin mark; filled up with 0.
    targets : Tensor, shape (N, L), int64
        The translation with an end mark, which is its begin-marked form one symbol later; -100 behind it.
    """
    inputs = torch.zeros(len(pairs), 2, length, dtype=torch.int64)
    targets = torch.full((len(pairs), length), UNCOUNTED, dtype=torch.int64)
    for n, (source, target) in enumerate(pairs):
        source, target = source[: length - 1], target[: length - 1]
        inputs[n, 0, : len(source) + 1] = torch.tensor([*source, END])
        inputs[n, 1, : len(target) + 1] = torch.tensor([BEGIN, *target])
        targets[n, : len(target) + 1] = torch.tensor([*target, END])
    return inputs, targets
