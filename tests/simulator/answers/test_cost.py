"""Costs by hand: two workers, three rounds, every price."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from simulator.answers.cost import Prices, Usage, energy, money

USAGE = Usage(
    seconds=np.array([1800.0, 3600.0]),
    spent={
        "compute": np.array([1000.0, 2000.0]),
        "encode": np.array([100.0, 200.0]),
        "uplink": np.array([300.0, 600.0]),
        "downlink": np.array([200.0, 400.0]),
        "waiting": np.array([1500.0, 3000.0]),
        "away": np.array([500.0, 1000.0]),  # of 7200 worker-seconds 6200 are there to be paid for
    },
    up_bytes=np.array([5e8, 1e9]),
    down_bytes=np.array([2e9, 4e9]),
)


def test_money_by_hand() -> None:
    paid = money(USAGE, Prices(worker_hour=3.6, server_hour=2.0, gb_up=0.1, gb_down=0.05))
    assert paid["workers"].tolist() == pytest.approx([3.1, 6.2])
    assert paid["server"].tolist() == pytest.approx([1.0, 2.0])
    assert paid["up"].tolist() == pytest.approx([0.05, 0.1]) and paid["down"].tolist() == pytest.approx([0.1, 0.2])
    assert paid["energy"].tolist() == [0.0, 0.0] and paid["total"].tolist() == pytest.approx([4.25, 8.5])


def test_energy_by_hand_and_what_it_costs() -> None:
    prices = Prices(compute_w=100, communicate_w=20, idle_w=10, server_w=50, joule_per_bit=1e-6, kwh=0.36)
    used = energy(USAGE, prices)
    expected = {"computing": 220e3, "communicating": 20e3, "idle": 30e3, "server": 180e3, "bits": 40e3}
    assert {part: float(of[-1]) for part, of in used.items() if part != "total"} == pytest.approx(expected)
    assert used["total"].tolist() == pytest.approx([245e3, 490e3])
    assert money(USAGE, prices)["total"].tolist() == pytest.approx([0.0245, 0.049])  # 1e-7 for a joule


@pytest.mark.parametrize("name", [field.name for field in fields(Prices)])
def test_bad_prices_are_named(name: str) -> None:
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"{name}: expected a price of at least 0, got {bad}"):
            Prices(**{name: bad})


def test_no_price_at_all() -> None:
    with pytest.raises(ValueError, match="prices: expected one of worker_hour, .*kwh, got none"):
        Prices()
    assert Prices(idle_w=1).energetic and not Prices(worker_hour=1).energetic
