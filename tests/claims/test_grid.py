"""A grid of errors, judged by hand."""

from __future__ import annotations

import pytest

from benchmarks.claims.grid import Grid, heat_map

# 1:      10
# 0.1:    21, 19  (means of two seeds)
# 0.01:   30
GRID = Grid({(1.0, 1): [10.0, 10.0], (1.0, 10): [18.0, 20.0], (0.1, 1): [20.0, 22.0], (0.1, 10): [30.0, 30.0]})


def test_diagonals_are_the_cells_of_equal_p_over_n() -> None:
    assert GRID.diagonals == {1.0: [(1.0, 1)], 0.1: [(0.1, 1), (1.0, 10)], 0.01: [(0.1, 10)]}
    wide = Grid({(p, n): [0.0] for p in (1.0, 0.1, 0.01, 0.001) for n in (1, 10, 100)})
    assert [len(cells) for cells in wide.diagonals.values()] == [1, 2, 3, 3, 2, 1]  # despite 0.1 / 10 != 0.01 / 1


def test_spread_along_and_across() -> None:
    assert GRID.along(0.1) == pytest.approx(2.0) and GRID.along(1.0) == 0.0
    assert GRID.across() == pytest.approx(20.0)
    # squares: of all about 20: 100 + 1 + 1 + 100 = 202; within the diagonal of two: 1 + 1
    assert GRID.explained() == pytest.approx(1 - 2 / 202)
    assert GRID.ends(0.1) == [-2.0, -2.0]


def test_the_map_says_each_mean_where_it_stands() -> None:
    axes = heat_map(GRID).axes[0]
    told = {text.get_position(): text.get_text() for text in axes.texts}
    assert told == {(0, 0): "10.0", (1, 0): "19.0", (0, 1): "21.0", (1, 1): "30.0"}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1", "0.1"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "10"]
