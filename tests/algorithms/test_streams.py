"""Named streams: pinned numbers (a change of any changes every run), and that a draw depends on its address only."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from algorithms.kernels import compiled, draws
from algorithms.streams import Stream

NOISE = Stream(1, "noise")


def test_pinned_bits() -> None:
    drawn = NOISE.bits(torch.tensor([0, 7, -3]), 4)
    assert drawn.dtype == torch.int32
    assert drawn.tolist() == [
        [-1010582158, 6746319, -260718773, 322486800],
        [3445485, 1594049317, 370747681, -582987282],
        [345410148, 797678266, -861782247, 886090972],
    ]


def test_pinned_bits_over_many_blocks() -> None:
    drawn = NOISE.bits(torch.arange(3), 200_000).to(torch.int64)
    assert int(drawn.sum()) == 684701493512
    assert int((drawn * torch.arange(200_000)).sum()) == 74211715359489592


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pinned_uniforms(dtype: torch.dtype) -> None:
    drawn = NOISE.uniform(torch.tensor([5]), 3, dtype)
    assert drawn.dtype == dtype
    expected = ("0x1.332f3c0000000p-2", "0x1.6270800000000p-7", "0x1.5dde900000000p-4")
    assert drawn[0].tolist() == [float.fromhex(x) for x in expected]


def test_pinned_integers_and_normals() -> None:
    columns = torch.tensor([0, 9, 2**32 - 1])
    assert NOISE.integers(torch.tensor([2, 3]), columns, 1000).tolist() == [[280, 889, 785], [688, 165, 869]]
    drawn = NOISE.at("x", 2).normal(torch.tensor([1]), 3)[0]
    torch.testing.assert_close(drawn, torch.tensor([0.9037693738937378, 0.16980168223381042, 1.4474279880523682]))


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=6),
    columns=st.lists(st.integers(0, 2**32 - 1), max_size=40),
)
def test_host_and_device_agree(rows: list[int], columns: list[int]) -> None:
    where, which = torch.tensor(rows, dtype=torch.int64), torch.tensor(columns, dtype=torch.int64)
    before = which.clone()
    assert torch.equal(NOISE.bits(where, which), NOISE._on_device(where, which))
    assert torch.equal(which, before)


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 20])
def test_blocks_do_not_change_a_number(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.tensor([4, 0, 9])
    whole, halves = NOISE.bits(rows, 50), NOISE.uniform(rows, 50)
    monkeypatch.setattr(draws, "_BLOCK", block)
    monkeypatch.setattr(compiled, "_mode", "reference")
    assert torch.equal(NOISE.bits(rows, 50), whole)
    assert torch.equal(NOISE.uniform(rows, 50), halves)


@given(start=st.integers(0, 60), stop=st.integers(0, 60), row=st.integers(0, 4))
def test_a_draw_depends_on_its_address_only(start: int, stop: int, row: int) -> None:
    stop = max(start, stop)
    whole = NOISE.uniform(torch.arange(5), 60)
    assert torch.equal(NOISE.uniform(torch.tensor([row]), range(start, stop))[0], whole[row, start:stop])
    some = torch.arange(start, stop)
    assert torch.equal(NOISE.uniform(torch.arange(5), some), whole[:, start:stop])
    assert torch.equal(NOISE.uniform(torch.arange(5), some.expand(5, -1)), whole[:, start:stop])


def test_keys_are_told_apart() -> None:
    rows = torch.arange(4)
    keys = [(1, "a"), ("1", "a"), (1, "a", 0), (2, "a"), ("a", 1)]
    drawn = [Stream(*key).bits(rows, 8) for key in keys]
    assert len({tuple(d.flatten().tolist()) for d in drawn}) == len(keys)
    assert torch.equal(Stream(1).at("a").bits(rows, 8), drawn[0])


def test_uniforms_look_uniform() -> None:
    drawn = Stream(7).uniform(torch.arange(100), 1000, torch.float64)
    assert 0 <= float(drawn.min()) and float(drawn.max()) < 1
    assert abs(float(drawn.mean()) - 0.5) < 0.005 and abs(float(drawn.var()) - 1 / 12) < 0.002
    between_rows, between_columns = torch.corrcoef(drawn[:20]), torch.corrcoef(drawn.T[:20])
    assert float((between_rows - torch.eye(20)).abs().max()) < 0.15
    assert float((between_columns - torch.eye(20)).abs().max()) < 0.45
