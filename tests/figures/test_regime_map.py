"""The regime map: winners and margins by hand, ties, censored groups, and cells that nobody ran."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from figures.__main__ import main
from figures.regime_cells import FAINT, FULL, borders, strength
from figures.regime_map import ranked
from tests.figures.sweeps import link


def test_winners_margins_and_gaps(write_run, tmp_path) -> None:
    times = {
        "sgd": {(1e6, 1): 8.0, (1e6, 10): 9.0, (1e9, 1): 1.0},
        "topk": {(1e6, 1): 2.0, (1e6, 10): 3.0, (1e9, 1): 3.0},
    }
    for name, cells in times.items():
        for (rate, delay), time in cells.items():
            settings = link(rate, delay / 1e3) | {"network.name": f"n{rate:g}-{delay}"}
            write_run(f"{name}-{rate:g}-{delay}", algorithm=name, config=settings, seconds=(0.0, time, 50.0))
    write_run(
        "late", algorithm="late", accuracy=(0.1, 0.2, 0.3), config=link(1e9, 0.001) | {"network.name": "n1e+09-1"}
    )
    assert main(["regime_map", f"runs={tmp_path}/*", "target=0.5", f"out={tmp_path}/out"]) == 0
    rows = list(csv.reader((tmp_path / "out/regime_map.csv").read_text().splitlines()))[1:]
    assert rows == [
        ["1000000.0", "0.001", "topk", "2.0", "sgd", "8.0", "4.0", "as recorded"],
        ["1000000.0", "0.01", "topk", "3.0", "sgd", "9.0", "3.0", "as recorded"],
        ["1000000000.0", "0.001", "sgd", "1.0", "topk", "3.0", "3.0", "as recorded"],
        ["1000000000.0", "0.01", "", "", "", "", "", "as recorded"],
    ]


def test_a_tie_goes_to_the_first_and_who_is_alone_wins_by_infinity() -> None:
    seconds = np.array([[[2.0, np.inf, np.nan]], [[2.0, 5.0, np.inf]]])
    winner, second, margin = ranked(seconds)
    assert winner.tolist() == [[0, 1, -1]] and second.tolist() == [[1, -1, -1]]
    assert margin[0, 0] == 1.0 and np.isinf(margin[0, 1]) and np.isnan(margin[0, 2])


def test_colours_grow_with_the_margin_and_cells_meet_halfway() -> None:
    assert strength(1.0) == FAINT and strength(3.0) == strength(30.0) == strength(np.inf) == pytest.approx(FULL)
    assert strength(np.sqrt(3.0)) == pytest.approx((FAINT + FULL) / 2)
    assert borders(np.array([0.0, 1.0, 3.0])).tolist() == [-0.5, 0.5, 2.0, 4.0]


def test_one_bandwidth_is_no_map(write_run, tmp_path, capsys) -> None:
    write_run("a", config=link(1e6))
    assert main(["regime_map", f"runs={tmp_path}/a"]) == 1
    assert "expected several bandwidths and latencies, got 1 and 1; re-time" in capsys.readouterr().err
