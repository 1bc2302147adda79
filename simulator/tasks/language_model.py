"""Language modelling: predict each character or word of a text from those before it.

w workers in a call, n in all, B sequences per batch, T symbols per sequence. The training text is cut into n stretches,
each worker's into B columns; a step takes the next T symbols of every column, from the start again at the end.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from algorithms.cohort import Map, serial_map
from simulator.tasks.modelled import Modelled
from simulator.tasks.task import Evaluation
from simulator.tasks.text.corpus import Corpus
from simulator.tasks.text.vocabulary import UNITS, Vocabulary
from simulator.tasks.validation import whole


class LanguageModel(Modelled):
    """Mean cross entropy per symbol of a text; evaluated on other text by loss, accuracy and perplexity.

    Parameters
    ----------
    corpus : Corpus
        Read at construction.
    model : nn.Module
        Symbols (B, T) -> logits (B, V, T).
    units : str
        'character' or 'word'.
    vocabulary : int
        V: the most frequent V - 1 symbols of the training text and one for all others. Numbers that the text does not
        fill stay unused.
    length : int
        T.
    workers, batch : int
        n and B.
    seed : int
        Decides nothing here: the order is that of the text.
    device, dtype, gradient_method
        See `GradientEngine`.
    evaluation_batch : int
        Test sequences per forward pass of `evaluate`; fixed, so that its rounding is.
    name : str
        What records call the task.

    Raises
    ------
    FileNotFoundError
        If the text is not on this computer.
    ValueError
        If an argument is out of range, the text is too short, or the model does not fit the vocabulary.

    Notes
    -----
    Every sequence begins in the model's zero state, in training and in evaluation; the papers hand the state on from
    step to step. A gradient so remains a function of parameters, worker and step.
    """

    def __init__(
        self,
        *,
        corpus: Corpus,
        model: nn.Module,
        units: str,
        vocabulary: int,
        length: int,
        workers: int,
        batch: int,
        seed: int = 0,
        device: str | torch.device = "auto",
        dtype: str | torch.dtype = "float32",
        gradient_method: str = "auto",
        evaluation_batch: int = 50,
        name: str = "language_model",
    ) -> None:
        if units not in UNITS:
            raise ValueError(f"task.units: expected one of {', '.join(UNITS)}, got {units!r}")
        size, self._length = whole("task.vocabulary", vocabulary, 2), whole("task.length", length, 1)
        self._evaluation_batch = whole("task.evaluation_batch", evaluation_batch, 1)
        train, test = (UNITS[units](text) for text in corpus.load())
        self.vocabulary = Vocabulary.of(train, size)
        sample = torch.zeros((1, self._length), dtype=torch.int64)
        require_logits(model, sample, (size, self._length))
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
        self.weights = torch.full((self.workers,), 1 / self.workers, dtype=torch.float64)
        self._columns = columns(self.vocabulary.encode(train), self.workers, self.batch, self._length).to(self.device)
        tests = columns(self.vocabulary.encode(test), 1, 1, self._length)[0, 0].to(self.device)
        self._test = tests.unfold(0, self._length + 1, self._length)  # neighbours share one symbol: target, then input

    def batches(self, workers: Tensor, step: int | Tensor) -> tuple[Tensor, Tensor]:
        """Gather the symbols (w, B, T) of a step and their successors (w, B, T)."""
        windows = (self._columns.shape[2] - 1) // self._length
        begin = (torch.as_tensor(step).cpu() % windows * self._length).expand(len(workers)).to(self.device)
        places = begin[:, None] + torch.arange(self._length + 1, device=self.device)
        rows = workers.to(self.device)[:, None, None]
        chosen = self._columns[rows, torch.arange(self.batch, device=self.device)[:, None], places[:, None, :]]
        return chosen[..., :-1], chosen[..., 1:]

    def evaluate(self, model: Tensor, pool: Map = serial_map) -> Evaluation:
        """Give the mean cross entropy, the accuracy and the perplexity per symbol of the test text."""
        batches = ((some[:, :-1], some[:, 1:]) for some in self._test.split(self._evaluation_batch))
        loss, right, count = self.scores(lambda inputs: self._engine.forward(model, inputs), batches, pool)
        return Evaluation(loss / count, right / count, perplexity=perplexity(loss / count))


def columns(symbols: Tensor, workers: int, batch: int, length: int) -> Tensor:
    """Cut a text into (n, B) stretches that follow each other, shape (n, B, L); what is left at the end is dropped.

    Raises
    ------
    ValueError
        If a stretch cannot hold `length` symbols and a successor.
    """
    least = workers * batch * (length + 1)
    if len(symbols) < least:
        raise ValueError(
            f"task.corpus: expected at least {least} symbols, for {workers} workers with {batch} sequences of "
            f"{length} and a successor, got {len(symbols)}"
        )
    size = len(symbols) // (workers * batch)
    return symbols[: workers * batch * size].view(workers, batch, size)


def perplexity(loss: float) -> float:
    """Give exp(loss), infinite where that is too large for a float."""
    return math.exp(loss) if loss < 709 else math.inf


def require_logits(model: nn.Module, sample: Tensor, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless the model maps `sample` to logits of `shape`."""
    try:
        with torch.no_grad():
            found = tuple(model(sample).shape[1:])
    except (RuntimeError, IndexError) as error:
        raise ValueError(
            f"model: expected one that takes symbols of shape {tuple(sample.shape[1:])}, got one that fails on them: "
            f"{error}"
        ) from error
    if found != shape:
        raise ValueError(f"model: expected logits of shape {shape} (model.vocabulary first), got {found}")
