"""Sparse binary compression: a test vector, rules for ties and signs, two rounds by hand, masked momentum."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from algorithms.codecs import expected_rice_bits
from algorithms.codecs.golomb_counts import repo_bits
from algorithms.compressors import PerTensor, SparseBinary
from algorithms.layout import Layout
from algorithms.ops import Gradient
from algorithms.payloads import Concat, Sparse
from algorithms.sbc import sbc
from algorithms.stc import stc
from algorithms.synchronous import Synchronous
from tests.algorithms.by_hand import begun, cohort_of, marked, over_server, rows, settle
from tests.running import run


def binary(*row: float, density: float) -> Sparse:
    """Compress one row as one tensor."""
    return SparseBinary(density)(rows(list(row)), cohort_of(1, len(row)).draw())


def test_published_vector() -> None:
    # k = 2; mu+ = (0.9 + 0.5) / 2 = 0.7; mu- = (1.2 + 0.8) / 2 = 1.0, which is larger
    row = [0.9, -0.8, 0.5, -0.1, 0.05, -1.2, 0.3, -0.02, 0.0, 0.2]
    sent = binary(*row, density=0.2)
    assert sent.indices.tolist() == [1, 5] and sent.floats().tolist() == [-1.0, -1.0]
    residual = rows(row)
    sent.subtract_from(residual)
    torch.testing.assert_close(residual[0, [1, 5]], torch.tensor([0.2, -0.2]))
    assert sent.coded.wire(sent.ragged).total.tolist() == [32]  # one number with its sign, however many positions


def test_groups_are_chosen_by_sign_before_they_are_averaged() -> None:
    # of the two largest magnitudes, 5 and -4, top-k would keep both; SBC keeps k = 2 of one sign
    assert binary(5, -4, 1, -3, 0, 0, 0, 0, 0, 0, density=0.2).dense().tolist() == [[0, -3.5, 0, -3.5, *[0] * 6]]


def test_equal_means_are_negative() -> None:
    assert binary(2, -2, 0, 0, density=0.25).dense().tolist() == [[0, -2, 0, 0]]
    assert binary(2, -1.999, 0, 0, density=0.25).dense().tolist() == [[2, 0, 0, 0]]


def test_of_equal_entries_exactly_k_are_sent() -> None:
    assert binary(1, 3, 3, 3, 3, -1, density=0.5).dense().tolist() == [[0, 3, 3, 3, 0, 0]]


def test_entries_of_the_other_sign_are_never_sent() -> None:
    # k = 4, but only one entry is positive: without the rule min(P) <= 0 would let all through
    assert binary(6, -1, -1, -1, 0, density=0.8).dense().tolist() == [[6, 0, 0, 0, 0]]
    nothing = binary(0, 0, 0, density=1.0)
    assert nothing.ragged.counts.tolist() == [0] and nothing.dense().tolist() == [[0, 0, 0]]


def test_every_tensor_sends_a_number_of_its_own() -> None:
    layout = Layout(("weight", "bias"), ((2, 3), (2,)))
    cohort = cohort_of(1, 8)
    cohort.layout = layout
    sent = PerTensor(SparseBinary(0.3))(rows([1, 5, 0, 0, 3, -2, 0, -7]), cohort.draw())
    assert isinstance(sent, Concat)  # ceil(0.3 * 6) = 2 of the weight, ceil(0.3 * 2) = 1 of the bias
    assert sent.dense().tolist() == [[0, 4, 0, 0, 4, 0, 0, -7]]
    assert sent.paper is not None and sent.paper.total.tolist() == [pytest.approx(3 * expected_rice_bits(0.3))]


# n = 2 local steps, lr 1/2, k = ceil(4 / 4) = 1: the gradients of both steps, what is sent, what is kept, the model
ROUNDS = [
    # updates (2, -4, 0, 2) and (2, 0, -1, 0)
    (rows([2, 0, 0, 0], [4, 0, -2, 0]), rows([2, -8, 0, 4], [0, 0, 0, 0]), rows([0, -4, 0, 0], [2, 0, 0, 0]),
     rows([2, 0, 0, 2], [0, 0, -1, 0]), [-1, 2, 0, 0]),
    # updates 0 and (0, 0, 0, -1); corrected (2, 0, 0, 2) and (0, 0, -1, -1)
    (rows([0, 0, 0, 0], [0, 0, 0, 0]), rows([0, 0, 0, 0], [0, 0, 0, -2]), rows([2, 0, 0, 0], [0, 0, -1, 0]),
     rows([0, 0, 0, 2], [0, 0, 0, -1]), [-2, 2, 0.5, 0]),
]  # fmt: skip


def test_two_rounds_of_two_local_steps() -> None:
    algorithm, cohort = sbc(steps=2, density=0.25, lr=0.5), cohort_of(2, 4)
    hand = begun(algorithm, cohort, 2)
    for t, (first, second, sent, kept, model) in enumerate(ROUNDS, start=1):
        hand.meets(Gradient)
        hand.answers(first.clone())
        payload, down = over_server(hand, cohort, second)
        assert torch.equal(payload.dense(), sent)
        assert torch.equal(down.dense()[0], sent.mean(0))
        assert marked(hand, t).tolist() == model
        assert torch.equal(algorithm.exchange.residual.values, kept)
    hand.ends()
    # two workers, two rounds, q = (1 + 1) / (4 + 1): b* = 0, 1 / q bits, one more for the position, one for the value
    assert algorithm.notes(2)["repo_bits"] == pytest.approx(4 * (1 / 0.4 + 1 + 1))


@pytest.mark.parametrize(("mask", "model"), [(True, [-4, -1.5]), (False, [-6, 0])])
def test_momentum_starts_again_where_something_was_sent(mask: bool, model: list[float]) -> None:
    # v = g = (4, 1): 4 is sent, 1 kept. Then g = 0: v = (0, 0.5) masked, (2, 0.5) not; corrected (0, 1.5) or (2, 1.5)
    cohort = cohort_of(1, 2)
    hand = begun(sbc(steps=1, density=0.5, lr=1.0, momentum=0.5, mask_momentum=mask), cohort, 2)
    over_server(hand, cohort, rows([4, 1]))
    assert marked(hand, 1).tolist() == [-4, 0]
    over_server(hand, cohort, rows([0, 0]))
    assert marked(hand, 2).tolist() == model


def test_nothing_is_lost_in_a_thousand_rounds() -> None:
    cohort = cohort_of(3, 40, dtype=torch.float64)
    exchange = sbc(density=0.05).exchange
    generator = torch.Generator().manual_seed(1)
    given, taken = torch.zeros(3, 40, dtype=torch.float64), torch.zeros(3, 40, dtype=torch.float64)
    for t in range(1000):
        update = torch.randn(3, 40, generator=generator, dtype=torch.float64)
        given += update
        _, sent = settle(exchange(cohort, update, t), cohort)
        taken += sent.dense()
    torch.testing.assert_close(taken + exchange.residual.values, given, rtol=0, atol=1e-8)


@pytest.mark.parametrize("options", [["parts=2"], ["participation=0.5", "parts=2"]])
def test_masked_momentum_does_not_depend_on_hosting(tmp_path: Path, options: list[str]) -> None:
    keys = ["algorithm=sbc1", "algorithm.momentum=0.9", "workers=8", "rounds=6", "chunk=2", "eval_every=2"]
    _, split = run(tmp_path / "split", *keys, *options)
    _, whole = run(tmp_path / "whole", *keys, *options[:-1])
    _, other = run(tmp_path / "other", *keys, *options, "algorithm.mask_momentum=false")
    assert split["digest"] == whole["digest"] != other["digest"]


def test_a_run_reports_all_three_counts(tmp_path: Path) -> None:
    keys = ["algorithm=sbc", "algorithm.density=0.1", "task.dimensions=1000", "workers=4", "rounds=3"]
    _, summary = run(tmp_path, *keys)
    messages = 4 * 3
    assert summary["repo_bits"] == pytest.approx(messages * repo_bits([1000], 0.1))
    assert summary["paper_bits"] == pytest.approx(messages * 100 * expected_rice_bits(0.1))
    assert summary["paper_bits"] < summary["repo_bits"]  # by two bits a position
    # frame 7, header 12 and scale 4 bytes a message, and up to a byte of padding
    assert summary["uplink_wire_bytes"] / messages == pytest.approx(100 * expected_rice_bits(0.1) / 8 + 24, rel=0.05)


BAD: list[tuple[dict[str, Any], str]] = [
    *[
        ({"density": bad}, f"algorithm.density: expected a share p in .* got {bad!r}")
        for bad in (0, -0.1, 1.5, "few", True)
    ],
    *[({"steps": bad}, f"algorithm.steps: expected .* got {bad!r}") for bad in (0, 1.5, True)],
    ({"mask_momentum": "yes"}, "algorithm.mask_momentum: expected true or false, got 'yes'"),
    ({"momentum": 1.0}, "algorithm.momentum: expected a number in .* got 1.0"),
    ({"index_code": "zip"}, "index_code: expected one of auto, .* got 'zip'"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[str(b[0]) for b in BAD])
def test_bad_values_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sbc(**options)


@pytest.mark.parametrize(
    ("build", "key"),
    [
        (partial(sbc, density=0.001), "density"),
        (partial(stc, density=0.001), "density"),
        (partial(stc, density_down=0.001), "density_down"),
    ],
)
def test_a_share_of_less_than_one_coordinate_is_refused(build: Callable[..., Synchronous], key: str) -> None:
    with pytest.raises(ValueError, match=rf"^algorithm\.{key}: expected p d >= 1, with d = 999, got p = 0.001"):
        build(lr=0.1).begin(torch.zeros(999))
    build(lr=0.1).begin(torch.zeros(1000))
