"""Rates and durations are read as the networks read them; axes name them without exponents."""

from __future__ import annotations

import numpy as np
import pytest

from figures.options import grid
from figures.problems import FigureError
from figures.quantities import rate_bps, seconds
from figures.ticks import plain, si
from network_models import units


@pytest.mark.parametrize(
    "text", ["10 Mbit/s", "1.5 GB/s", "2e6", 3e5, "8 kbps", "4 bytes/s", "inf", "7 Tb/s", "5K B/s"]
)
def test_rates_as_the_networks_read_them(text) -> None:
    try:
        expected = units.rate_bps(text)
    except ValueError:
        with pytest.raises(ValueError, match="expected a rate"):
            rate_bps(text)
    else:
        assert rate_bps(text) == expected


@pytest.mark.parametrize("text", ["40 ms", "10 us", "10 µs", 2, "1.5e-3", "2 min", "3 ns", "fast"])
def test_durations_as_the_networks_read_them(text) -> None:
    try:
        expected = units.seconds(text)
    except ValueError:
        with pytest.raises(ValueError, match="expected a duration"):
            seconds(text)
    else:
        assert seconds(text) == pytest.approx(expected, rel=1e-15)


def test_grids() -> None:
    np.testing.assert_allclose(grid({"b": "1e6:1e8:3"}, "b", "", "rate"), [1e6, 1e7, 1e8])
    np.testing.assert_allclose(grid({"b": "5 ms,1 ms"}, "b", "", "duration"), [0.001, 0.005])
    for wrong in ("1e6", "1:2", "2:1:5", "0,1", "a,b", "1e6:1e8:1"):
        if wrong == "1e6":
            assert grid({"b": wrong}, "b", "", "rate").tolist() == [1e6]
            continue
        with pytest.raises(FigureError, match=f"b: expected first:last:count or a,b,c .* got {wrong}"):
            grid({"b": wrong}, "b", "1e6:1e9:4", "rate")


@pytest.mark.parametrize(
    ("value", "told"),
    [(2e7, "20 Mbit/s"), (1e3, "1 kbit/s"), (999.9, "1 kbit/s"), (0.5, "500 mbit/s"), (0.0, "0 bit/s")],
)
def test_prefixes(value, told) -> None:
    assert si(value, "bit/s") == told


def test_plain_numbers() -> None:
    assert [plain(value) for value in (0.001, 10000.0, 2e5, 1e-4, 0.0)] == ["0.001", "10000", "200 k", "100 µ", "0"]
