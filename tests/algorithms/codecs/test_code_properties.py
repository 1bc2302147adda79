"""What is written is read back, is as long as was counted, and on average no shorter than entropy allows."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.codecs import (
    INDEX_CODES,
    LevelCounts,
    Ragged,
    Supports,
    cheapest,
    level_counts,
    log2_binomial,
    read_levels,
    write_levels,
)

fast = settings(max_examples=40, deadline=None)


@st.composite
def supports(draw: st.DrawFn) -> Supports:
    size = draw(st.integers(1, 70) | st.sampled_from([1000, 2**20, 2**31, 2**32 - 1]))
    rows = draw(st.lists(st.sets(st.integers(0, size - 1), max_size=min(size, 25)), min_size=1, max_size=5))
    if size <= 70 and draw(st.booleans()):
        rows.append(set(range(size)))
    flat = np.array([i for row in rows for i in sorted(row)], np.int64)
    return Supports(size, Ragged.of_counts(np.array([len(row) for row in rows])), flat)


@pytest.mark.parametrize("name", INDEX_CODES)
@fast
@given(sets=supports())
def test_indices_are_read_back_and_counted(name: str, sets: Supports) -> None:
    if name == "bitmap" and sets.size > 2**20:
        return
    code = INDEX_CODES[name]
    measured, parameters = code.measure(sets)
    for row in range(sets.rows.rows):
        indices = sets.indices[sets.rows.bounds(slice(row, row + 1))]
        written = code.write(indices, sets.size, int(parameters[row]))
        assert written.size == measured[row]
        read, used = code.read(np.append(written, np.uint8(1)), indices.size, sets.size, int(parameters[row]))
        assert read.tolist() == indices.tolist()
        assert used == written.size


@fast
@given(sets=supports())
def test_auto_is_no_longer_than_any_code(sets: Supports) -> None:
    every = np.stack([code.measure(sets)[0] for code in INDEX_CODES.values()])
    assert cheapest(sets, "auto")[2].tolist() == every.min(axis=0).tolist()


@pytest.mark.parametrize("name", INDEX_CODES)
@pytest.mark.parametrize("kept", [0, 1, 3, 8])
def test_over_all_index_sets_no_code_beats_the_binomial(name: str, kept: int) -> None:
    sets = np.array(list(itertools.combinations(range(8), kept)), np.int64).reshape(-1)
    every = Supports(8, Ragged.even(math.comb(8, kept), kept), sets)
    assert INDEX_CODES[name].measure(every)[0].mean() >= log2_binomial(8, np.array([kept]))[0] - 1e-12


def test_log2_binomial_is_exact_in_small_and_at_the_ends() -> None:
    found = log2_binomial(10, np.arange(11))
    assert found == pytest.approx([math.log2(math.comb(10, k)) for k in range(11)], abs=1e-12)
    assert log2_binomial(431_080, np.array([0, 431_080])).tolist() == [0.0, 0.0]
    assert log2_binomial(10**6, np.array([5]))[0] == pytest.approx(math.log2(math.comb(10**6, 5)), abs=1e-6)


level_rows = st.lists(st.lists(st.integers(-200, 200), max_size=20) | st.lists(st.integers(-1, 1)), max_size=5)


@fast
@given(rows=level_rows)
def test_levels_are_read_back_and_counted(rows: list[list[int]]) -> None:
    bounds = Ragged.of_counts(np.array([len(row) for row in rows], np.int64))
    flat = torch.tensor([level for row in rows for level in row], dtype=torch.int16)
    elias = LevelCounts.of(flat, bounds, 200).elias_bits()
    for row, length in zip(rows, elias, strict=True):
        levels = np.array(row, np.int64)
        written = write_levels(levels, 200, 1)
        assert written.size == length
        assert write_levels(levels, 200, 0).size == 9 * levels.size
        for number in (0, 1):
            read, used = read_levels(write_levels(levels, 200, number), levels.size, 200, number)
            assert read.tolist() == row
            assert used == (9 * levels.size if number == 0 else length)


@pytest.mark.parametrize(("block", "cells"), [(1 << 20, 1 << 22), (7, 1 << 22), (7, 0), (1 << 20, 0)])
@fast
@given(rows=level_rows)
def test_counts_do_not_depend_on_blocks_or_tables(block: int, cells: int, rows: list[list[int]]) -> None:
    bounds = Ragged.of_counts(np.array([len(row) for row in rows], np.int64))
    flat = torch.tensor([level for row in rows for level in row], dtype=torch.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(level_counts, "_BLOCK", block)
        patch.setattr(level_counts, "_CELLS", cells)
        entropy = LevelCounts.of(flat, bounds, 200).entropy()
    for row, found in zip(rows, entropy, strict=True):
        times = [row.count(level) for level in set(row)]
        assert found == pytest.approx(sum(-t * math.log2(t / len(row)) for t in times), abs=1e-9)
        assert found <= write_levels(np.array(row, np.int64), 200, 1).size + 1e-9
