import os
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from simulator.tasks.models import Transformer
from simulator.tasks.partitions import Iid
from simulator.tasks.text.corpus import ParallelFiles
from simulator.tasks.text.decoding import greedy
from simulator.tasks.text.sentences import MadeUpPairs
from simulator.tasks.text.subwords import BEGIN, END, Subwords
from simulator.tasks.translation import Translation, padded

DATA = os.environ.get("BITCLOCK_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="BITCLOCK_DATA names no folder of data")


def transformer(vocabulary: int = 240) -> Transformer:
    return Transformer(vocabulary=vocabulary, width=32, heads=4, layers=1, inner=64)


def task(**changes) -> Translation:
    usual = dict(
        corpus=MadeUpPairs(train=300, test=20), model=transformer(), partition=Iid(), vocabulary=240, length=20
    )
    return Translation(**(usual | dict(workers=2, batch=3, seed=1, device="cpu") | changes))


def test_padding_by_hand():
    inputs, targets = padded([([7, 8], [9]), ([5, 6, 7, 8], [4, 4, 4])], 3)
    assert inputs.tolist() == [[[7, 8, END], [BEGIN, 9, 0]], [[5, 6, END], [BEGIN, 4, 4]]]
    assert targets.tolist() == [[9, END, -100], [4, 4, END]]


def test_batches_are_pairs_of_the_corpus():
    here = task()
    inputs, targets = here.batches(torch.tensor([1, 0]), 4)
    assert inputs.shape == (2, 3, 2, 20) and targets.shape == (2, 3, 20)
    train = dict(MadeUpPairs(train=300, test=1).load()[0])
    for pair, wanted in zip(inputs.flatten(0, 1), targets.flatten(0, 1), strict=True):
        assert train[here.subwords.decode(pair[0].tolist())] == here.subwords.decode(pair[1].tolist())
        real = wanted[wanted != -100]
        assert real[-1] == END and torch.equal(real[:-1], pair[1, 1 : len(real)]) and pair[1, 0] == BEGIN


def test_gradients_are_those_of_the_counted_symbols():
    here = task(dtype="float64")
    at, out = here.initial(5), torch.empty(2, here.layout.size, dtype=torch.float64)
    losses = here.gradient(at, torch.arange(2), 1, out)
    model = transformer().double()
    nn.utils.vector_to_parameters(at, model.parameters())
    for r in range(2):
        inputs, targets = (part[0] for part in here.batches(torch.tensor([r]), 1))
        counted = targets != -100
        loss = functional.cross_entropy(model(inputs).transpose(1, 2)[counted], targets[counted])
        expected = torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])
        assert torch.allclose(out[r], expected, atol=1e-12) and float(losses[r]) == pytest.approx(float(loss.detach()))


def test_evaluation_counts_each_symbol_once_whatever_the_batch():
    # rounding aside, a mean over symbols does not depend on how sentences are put together
    whole, split = (task(evaluation_batch=size, dtype="float64") for size in (20, 3))
    at = whole.initial(5)
    a, b = whole.evaluate(at), split.evaluate(at)
    assert (a.loss, a.accuracy, a.perplexity) == pytest.approx((b.loss, b.accuracy, b.perplexity), rel=1e-12)
    assert a.bleu is None
    uniform = whole.evaluate(torch.zeros_like(at))
    assert uniform.perplexity == pytest.approx(240)


def test_long_pairs_are_left_out_of_training_only():
    here = task(length=9)
    coded = [max(len(here.subwords.encode(side)) for side in pair) for pair in MadeUpPairs(train=300, test=1).load()[0]]
    assert 0 < sum(size < 9 for size in coded) < 300
    assert here._inputs.shape == (sum(size < 9 for size in coded), 2, 9) and len(here._test[0]) == 20


def test_greedy_takes_the_likeliest_symbol_until_the_end():
    # a model that copies the source
    def copying(pairs: torch.Tensor) -> torch.Tensor:
        return functional.one_hot(pairs[:, 0], 10).double().transpose(1, 2)

    sources = torch.tensor([[7, 8, END, 0, 0], [4, 5, 6, 9, 8]])
    assert greedy(copying, sources) == [[7, 8], [4, 5, 6, 9]]


def test_it_learns_to_translate():
    here = task(corpus=MadeUpPairs(train=2000, test=20), length=12, workers=1, batch=32)
    at, out = here.initial(1), torch.empty(1, here.layout.size)
    for step in range(330):
        here.gradient(at, torch.arange(1), step, out)
        at -= 0.3 * out[0]
    assert here.evaluate(at).accuracy > 0.95
    pairs = MadeUpPairs(train=1, test=20).load()[1]
    right = [
        found == target for found, (_, target) in zip(here.translate(at, [s for s, _ in pairs]), pairs, strict=True)
    ]
    assert sum(right) > 15


def test_bleu_is_sacrebleus():
    pytest.importorskip("sacrebleu")
    from simulator.tasks.text.bleu import bleu

    # precisions 5/6, 3/5, 2/4, 1/3: (5/6 * 3/5 * 1/2 * 1/3) ** (1/4), no brevity penalty
    found = bleu(["the cat sat on the mat"], ["the cat sat on a mat"])
    assert found == pytest.approx(100 * (5 / 6 * 3 / 5 / 2 / 3) ** 0.25, rel=1e-6)
    here = task(bleu_sentences=4)
    assert 0 <= here.evaluate(here.initial(1)).bleu < 5


def test_bleu_without_the_package_is_refused(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"task.bleu_sentences: expected 0, .*bitclock\[translation\].*, got 4"):
        task(bleu_sentences=4)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"vocabulary": 4}, "task.vocabulary: expected an integer of at least 5, got 4"),
        ({"vocabulary": 200}, r"model: expected logits of shape \(200, 20\) .* got \(240, 20\)"),
        ({"vocabulary": 12, "model": transformer(12)}, "task.vocabulary: expected at least .* the characters' number"),
        ({"length": 1}, "task.length: expected an integer of at least 2, got 1"),
        ({"length": 3}, "task.length: expected some training pairs of fewer than 3 symbols .* got 0 of 300"),
        ({"bleu_sentences": -1}, "task.bleu_sentences: expected an integer of at least 0"),
        ({"batches": "sorted"}, "task.batches: expected one of shuffle, replace, got 'sorted'"),
        ({"workers": 301}, "workers: expected at most"),
    ],
)
def test_bad_input_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        task(**changes)


@needs_data
def test_real_pairs():
    folder = Path(DATA) / "multi30k"
    parts = {"train_source": "train.en", "train_target": "train.de", "test_source": "test_2016_flickr.en"}
    parts["test_target"] = "test_2016_flickr.de"
    train, test = ParallelFiles(**{key: str(folder / f"{name}.gz") for key, name in parts.items()}).load()
    assert len(train) == 29_000 and len(test) == 1000
    learned = Subwords.learn((side for pair in train[:500] for side in pair), 500)
    assert learned.decode(learned.encode(train[0][0])) == train[0][0]
