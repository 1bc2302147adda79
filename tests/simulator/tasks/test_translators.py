"""The translators as functions of a pair of sentences."""

import pytest
import torch

from algorithms.layout import Layout
from simulator.gradients import GradientEngine
from simulator.tasks.models import AttentionTranslator, Transformer, initial_vector
from simulator.tasks.models.transformer import positions

SMALL = {
    "gru": lambda: AttentionTranslator(vocabulary=11, embedding=4, hidden=6, layers=2),
    "lstm": lambda: AttentionTranslator(vocabulary=11, embedding=4, hidden=6, cell="lstm"),
    "transformer": lambda: Transformer(vocabulary=11, width=8, heads=2, layers=2, inner=12),
}


@pytest.fixture(params=SMALL)
def model(request):
    return SMALL[request.param]()


def pairs(*leading: int) -> torch.Tensor:
    tokens = torch.randint(1, 11, (*leading, 2, 7), generator=torch.Generator().manual_seed(3))
    tokens[..., 0, 5:] = 0  # sources of five symbols
    return tokens


def test_sizes():
    # embedding V e; encoder 2 * 3 h (e + h + 2); bridge h (h + 1); decoder 3 h (e + h + 2); score 2 h h; combine 3 h h;
    # output V (h + 1): with V = 8,000 and e = h = 256
    v, h = 8000, 256
    size = v * h + 3 * 3 * h * (2 * h + 2) + h * (h + 1) + 5 * h * h + v * (h + 1)
    assert Layout.of(AttentionTranslator(vocabulary=v)).size == size == 5_681_728
    lstm = Layout.of(AttentionTranslator(vocabulary=v, cell="lstm")).size
    assert lstm - size == 3 * h * (2 * h + 2)  # four gates for three
    m, f = 128, 512
    size = v * m + 2 * (12 * m * (m + 1) + 2 * (2 * m * f + m + f) + 10 * m) + 4 * m
    assert Layout.of(Transformer(vocabulary=v)).size == size == 1_950_208


def test_no_symbol_sees_its_successors(model):
    given = pairs(3)
    changed = given.clone()
    changed[:, 1, 4:] = 11 - changed[:, 1, 4:]
    before, after = model(given), model(changed)
    assert before.shape == (3, 11, 7)
    assert torch.allclose(before[:, :, :4], after[:, :, :4], atol=1e-6)
    assert not torch.allclose(before[:, :, 4:], after[:, :, 4:], atol=1e-6)


def test_the_source_counts_and_sentences_do_not_mix(model):
    given = pairs(3)
    changed = given.clone()
    changed[1, 0, 1] = given[1, 0, 1] % 10 + 1
    before, after = model(given), model(changed)
    assert not torch.allclose(before[1], after[1], atol=1e-7)
    assert torch.allclose(before[[0, 2]], after[[0, 2]], atol=1e-6)
    assert torch.allclose(model(given[:1]), before[:1], atol=1e-6)


def test_filling_is_not_attended_to():
    model, given = SMALL["transformer"](), pairs(2)
    shorter = torch.cat((given[:, :, :6], given[:, :, :0]), 2)  # one filling symbol less, and one target symbol
    assert torch.allclose(model(given)[:, :, :6], model(shorter), atol=1e-6)


@pytest.mark.parametrize("rows", [False, True])
def test_batched_gradients_are_those_of_one_worker_at_a_time(model, rows):
    at = initial_vector(model, 1).double()
    if rows:
        at = at * torch.tensor([[1.0], [0.5], [-2.0]])
    tokens, targets = pairs(3, 2), pairs(3, 2)[:, :, 1].clone()
    targets[:, :, 4:] = -100
    found = []
    for method in ("loop", "vmap"):
        engine = GradientEngine(model, method=method, dtype=torch.float64)
        out = torch.empty(3, engine.layout.size, dtype=torch.float64)
        found.append((engine(at, tokens, targets, out), out))
    assert torch.allclose(found[0][0], found[1][0], rtol=1e-12)
    assert torch.allclose(found[0][1], found[1][1], rtol=1e-8, atol=1e-12)


def test_positions_are_sines():
    # width 4: rates 1 and 1/100
    found = positions(3, torch.zeros(4, dtype=torch.float64))
    assert found[0].tolist() == [0, 0, 1, 1]
    assert found[2].tolist() == pytest.approx([0.9092974268, 0.0199986667, -0.4161468365, 0.9998000067])


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: AttentionTranslator(vocabulary=5, cell="rnn"), "model.cell: expected one of gru, lstm, got 'rnn'"),
        (lambda: AttentionTranslator(vocabulary=5, hidden=0), "model.hidden: expected an integer of at least 1"),
        (lambda: Transformer(vocabulary=5, width=10, heads=4), "an even multiple of model.heads=4, got 10"),
        (lambda: Transformer(vocabulary=5, width=3, heads=1), "an even multiple of model.heads=1, got 3"),
        (lambda: Transformer(vocabulary=5, layers=0), "model.layers: expected an integer of at least 1"),
    ],
)
def test_bad_input_is_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
