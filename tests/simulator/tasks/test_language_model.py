import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from algorithms.layout import Layout
from simulator.gradients import GradientEngine
from simulator.tasks.language_model import LanguageModel, columns, perplexity
from simulator.tasks.models import LstmLanguageModel, Softmax, initial_vector
from simulator.tasks.text.sentences import MadeUpText


class Letters:
    """The alphabet over and over, for hand-checked batches; the test text is one round of it."""

    def load(self) -> tuple[str, str]:
        return "abcdefghijklmnopqrstuvwxyz" * 2, "abcdefghijklm"


def small(**changes) -> LstmLanguageModel:
    return LstmLanguageModel(**(dict(vocabulary=27, embedding=3, hidden=4, layers=1) | changes))


def task(**changes) -> LanguageModel:
    usual = dict(corpus=Letters(), model=small(), units="character", vocabulary=27, length=3, workers=2, batch=2)
    return LanguageModel(**(usual | dict(seed=1, device="cpu", dtype="float64") | changes))


@pytest.mark.parametrize(
    "model, size",
    [
        # V e + sum of 4 h (inputs + h + 2) + V (h + 1)
        (dict(vocabulary=10_000), 6_500_000 + 2 * 4 * 650 * 1302 + 10_000 * 651),
        (dict(vocabulary=128, embedding=8, hidden=256), 1024 + 4 * 256 * (266 + 514) + 128 * 257),
        # Deep Gradient Compression's language model: 194.68 MB of 4-byte numbers
        (dict(vocabulary=10_000, embedding=1500, hidden=1500, tied=True), 51_034_000),
    ],
)
def test_sizes(model, size):
    with torch.device("meta"):
        assert Layout.of(LstmLanguageModel(**model)).size == size


def test_papers_sizes():
    assert 6_500_000 + 2 * 4 * 650 * 1302 + 10_000 * 651 == 19_780_400
    assert round(51_034_000 * 4 / 2**20, 2) == 194.68


def test_columns_are_contiguous_stretches():
    assert columns(torch.arange(13), 2, 3, 1).tolist() == [[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]]


def test_batches_walk_down_the_columns_and_start_again():
    # 52 letters in 2 x 2 columns of 13: four windows of 3 with a successor each; a is 1
    here = task()
    for step, first in ((0, 1), (1, 4), (3, 10), (4, 1)):
        inputs, targets = here.batches(torch.tensor([1, 0]), step)
        assert inputs[0, 0].tolist() == [first, first + 1, first + 2]  # worker 1 begins at the second alphabet
        assert targets[0, 0].tolist() == [first + 1, first + 2, first + 3]
        assert inputs[1, 1].tolist() == [13 + first, 14 + first, 15 + first]
    inputs, _ = here.batches(torch.tensor([0, 1]), torch.tensor([0, 1]))
    assert inputs[:, 0, 0].tolist() == [1, 4]
    assert here.weights.tolist() == [0.5, 0.5]


def test_gradients_are_those_of_each_workers_symbols():
    here = task()
    at, out = here.initial(5), torch.empty(2, here.layout.size, dtype=torch.float64)
    losses = here.gradient(at, torch.arange(2), 1, out)
    model = small().double()
    nn.utils.vector_to_parameters(at, model.parameters())
    for r in range(2):
        inputs, targets = (part[0] for part in here.batches(torch.tensor([r]), 1))
        loss = functional.cross_entropy(model(inputs).transpose(1, 2).flatten(0, 1), targets.flatten())
        expected = torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])
        assert torch.allclose(out[r], expected, atol=1e-12) and float(losses[r]) == pytest.approx(float(loss.detach()))


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("rows", [False, True])
def test_batched_gradients_are_those_of_one_worker_at_a_time(tied, rows):
    model = small(embedding=4, layers=2, tied=tied)
    at = initial_vector(model, 1).double()
    if rows:
        at = at * torch.tensor([[1.0], [0.5], [-2.0]])
    source = torch.Generator().manual_seed(2)
    tokens = torch.randint(0, 27, (3, 2, 6), generator=source)
    found = []
    for method in ("loop", "vmap"):
        engine = GradientEngine(model, method=method, dtype=torch.float64)
        out = torch.empty(3, engine.layout.size, dtype=torch.float64)
        found.append((engine(at, tokens[..., :-1], tokens[..., 1:], out), out))
    assert torch.allclose(found[0][0], found[1][0], rtol=1e-12)
    assert torch.allclose(found[0][1], found[1][1], rtol=1e-9, atol=1e-12)
    assert GradientEngine(model).method == "loop"


def test_evaluation_is_on_windows_of_the_test_text():
    # 13 letters: four windows of 3 with a successor each
    at = task().initial(5)
    model = small().double()
    nn.utils.vector_to_parameters(at, model.parameters())
    windows = torch.tensor([[1, 2, 3, 4], [4, 5, 6, 7], [7, 8, 9, 10], [10, 11, 12, 13]])
    logits = model(windows[:, :-1]).detach()
    expected = float(functional.cross_entropy(logits, windows[:, 1:]))
    for size in (50, 3):
        found = task(evaluation_batch=size).evaluate(at)
        assert found.loss == pytest.approx(expected, rel=1e-12)
        assert found.perplexity == pytest.approx(math.exp(expected), rel=1e-12) and found.bleu is None
        assert found.accuracy == pytest.approx(float((logits.argmax(1) == windows[:, 1:]).double().mean()))


def test_parts_of_the_gradient_are_ready_one_after_the_other():
    here = task()
    assert len(here.layout.ready) == len(here.layout.names) and max(here.layout.ready) == 1.0
    # the last layer's gradient comes first, the embedding's last
    assert here.layout.ready[-1] < here.layout.ready[1] <= here.layout.ready[0] == 1.0
    assert all(0 < operations < 1 and 0 < seconds <= 1 for operations, seconds in here.profile())
    # two operations per product; per symbol 4 h (e + h) + h V forward and twice that backward, 2 x 3 symbols; but the
    # zero state in which the 2 sequences begin needs no gradient, 4 h h each
    assert here.flops_per_step == 2 * (3 * 6 * (16 * 7 + 4 * 27) - 2 * 16 * 4)


def test_perplexity_of_a_guess_is_the_number_of_symbols():
    here = task()
    assert here.evaluate(torch.zeros(here.layout.size, dtype=torch.float64)).perplexity == pytest.approx(27)
    assert perplexity(1e4) == math.inf


def test_it_learns_the_grammar_of_made_up_sentences():
    model = LstmLanguageModel(vocabulary=80, embedding=32, hidden=32, layers=1)
    keys = dict(corpus=MadeUpText(train=500, test=50), units="word", vocabulary=80, length=8, workers=2, batch=16)
    here = LanguageModel(model=model, seed=1, device="cpu", **keys)
    at, out = here.initial(1), torch.empty(2, here.layout.size)
    before = here.evaluate(at).perplexity
    for step in range(150):
        here.gradient(at, torch.arange(2), step, out)
        at -= 10.0 * out.mean(0)
    # 79 words; no model can be below 5.9, as articles, adjectives, nouns and verbs are drawn independently
    assert before > 60 and 5.5 < here.evaluate(at).perplexity < 12


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"units": "syllable"}, "task.units: expected one of character, word, got 'syllable'"),
        ({"vocabulary": 1}, "task.vocabulary: expected an integer of at least 2, got 1"),
        ({"vocabulary": 20}, r"model: expected logits of shape \(20, 3\) \(model.vocabulary first\), got \(27, 3\)"),
        ({"length": 0}, "task.length: expected an integer of at least 1, got 0"),
        ({"batch": 20}, "task.corpus: expected at least 160 symbols, for 2 workers with 20 sequences of 3"),
        ({"workers": 0}, "workers: expected an integer of at least 1, got 0"),
        ({"model": Softmax(inputs=3, classes=27)}, "model: expected one that takes symbols"),
    ],
)
def test_bad_input_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        task(**changes)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"tied": True}, "model.embedding: expected 4, that is model.hidden, as tied=true, got 3"),
        ({"vocabulary": 0}, "model.vocabulary: expected an integer of at least 1"),
        ({"layers": 0}, "model.layers: expected an integer of at least 1"),
        ({"hidden": 1.5}, "model.hidden: expected an integer of at least 1"),
    ],
)
def test_bad_models_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**changes)
