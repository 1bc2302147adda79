"""Prices of gradients and of memory-bound work, by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from simulator.compute import DEVICES, Counted, Fixed, LogNormal, Measured, NoStragglers, Periodic
from simulator.tasks.synthetic import Quadratic

EVERYONE = np.arange(3)


def test_counted_is_flops_over_speed() -> None:
    compute = Counted(workers=3, flops_per_s=2e9, memory_bytes_per_s=1e9)
    assert compute.gradient_seconds(EVERYONE, 0, 1e9).tolist() == [0.5] * 3
    assert compute.work_seconds(EVERYONE, 250_000_000).tolist() == [0.25] * 3
    assert compute.server_seconds(500_000_000) == 0.5


@pytest.mark.parametrize("name", DEVICES)
def test_counted_takes_a_devices_figures(name: str) -> None:
    compute, device = Counted(workers=3, device=name), DEVICES[name]
    assert compute.gradient_seconds(EVERYONE, 7, 1e9) == pytest.approx(1e9 / device.flops_per_s)
    assert compute.server_seconds(10) == pytest.approx(10 / device.memory_bytes_per_s)
    half = Counted(workers=3, device=name, flops_per_s=device.flops_per_s / 2)
    assert half.gradient_seconds(EVERYONE, 7, 1e9) == pytest.approx(2e9 / device.flops_per_s)
    assert half.server_seconds(10) == compute.server_seconds(10)


def test_fixed_does_not_look_at_the_model() -> None:
    compute = Fixed(workers=3, seconds_per_step=0.25, memory_bytes_per_s=1000)
    assert compute.gradient_seconds(EVERYONE, 0, 1e30).tolist() == [0.25] * 3
    assert compute.server_seconds(500) == 0.5
    free = Fixed(workers=3, seconds_per_step=0, memory_bytes_per_s=float("inf"))
    assert free.gradient_seconds(EVERYONE, 0, 1.0).tolist() == free.work_seconds(EVERYONE, 10**9).tolist() == [0] * 3


@pytest.mark.parametrize("wrap", [list, tuple, OmegaConf.create])
def test_speeds_divide_the_time_of_each_worker(wrap: Any) -> None:
    compute = Fixed(workers=3, seconds_per_step=1.0, memory_bytes_per_s=100, speed=wrap([1.0, 2.0, 0.5]))
    assert compute.gradient_seconds(EVERYONE, 0, 1.0).tolist() == [1, 0.5, 2]
    assert compute.gradient_seconds(np.array([2, 0]), 0, 1.0).tolist() == [2, 1]
    assert compute.work_seconds(EVERYONE, 100).tolist() == [1, 0.5, 2]
    assert compute.server_seconds(100) == 1  # the server is the named device
    assert Fixed(workers=3, seconds_per_step=1.0, speed=4).gradient_seconds(EVERYONE, 0, 1.0).tolist() == [0.25] * 3


def test_stragglers_slow_gradients_and_not_work() -> None:
    slow = Periodic(period=1, length=1, factor=3.0)
    compute = Fixed(workers=3, seconds_per_step=1.0, memory_bytes_per_s=100, speed=[1.0, 2.0, 1.0], stragglers=slow)
    assert compute.gradient_seconds(EVERYONE, 5, 1.0).tolist() == [3, 1.5, 3]
    assert compute.work_seconds(EVERYONE, 100).tolist() == [1, 0.5, 1]


def test_describe_names_what_is_in_force() -> None:
    assert Counted(workers=1, device="v100", memory_bytes_per_s=7.0).describe() == {
        "kind": "Counted",
        "flops_per_s": 5.5e12,
        "memory_bytes_per_s": 7.0,
        "stragglers": "NoStragglers",
    }
    fixed = Fixed(workers=1, seconds_per_step=0.5, stragglers=LogNormal()).describe()
    assert (fixed["seconds_per_step"], fixed["flops_per_s"], fixed["stragglers"]) == (0.5, None, "LogNormal")


def test_measured_is_taken_once_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "calibrations.json"
    task = Quadratic(workers=2, batch=1, seed=0, dimensions=5, device="cpu")
    first = Measured(workers=2, file=str(file), speed=[1.0, 2.0])
    figures = first.prepare(task, "quadratic")
    assert figures["seconds_per_step"] > 0 and figures["memory_bytes_per_s"] > 1e6
    one, two = first.gradient_seconds(np.arange(2), 0, 1.0)
    assert one == figures["seconds_per_step"] and two == pytest.approx(one / 2)
    (key,) = json.loads(file.read_text())
    assert "quadratic" in key and "d=5" in key and str(torch.__version__) in key
    # a second one reads what the first wrote, and figures given by hand are not measured again
    assert Measured(workers=2, file=str(file)).prepare(task, "quadratic") == figures
    given = Measured(workers=2, file=str(file), seconds_per_step=0.5, memory_bytes_per_s=100.0)
    assert given.prepare(task, "another") == {"seconds_per_step": 0.5, "memory_bytes_per_s": 100.0}
    assert list(json.loads(file.read_text())) == [key]
    assert given.server_seconds(50) == 0.5


def test_measured_has_no_price_before_it_measured(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"compute\.seconds_per_step: expected a calibration, got none"):
        Measured(workers=2, file=str(tmp_path / "none.json")).gradient_seconds(np.arange(2), 0, 1.0)


NAN = float("nan")
BAD: list[tuple[Any, dict[str, Any], str, Any]] = [
    (Counted, {"device": "abacus"}, "device", "abacus"),
    *[(Counted, {key: bad}, key, bad)
      for key in ("flops_per_s", "memory_bytes_per_s") for bad in (0, -1.0, "fast", True, NAN)],
    *[(Fixed, {"seconds_per_step": bad}, "seconds_per_step", bad) for bad in (-1, "long", None, True, NAN)],
    *[(Fixed, {"memory_bytes_per_s": bad}, "memory_bytes_per_s", bad) for bad in (0, -1, "much", None, NAN)],
    *[(kind, {"speed": bad}, "speed", seen) for kind in (Counted, Fixed, Measured) for bad, seen in
      ((0, 0), (-1.0, -1), ([1.0, 2.0], 2), ([1.0, 0.0, 1.0], 0), ("fast", "fast"), ([1, "x", 2], "x"), (NAN, "nan"))],
    (Measured, {"seconds_per_step": 0.5}, "seconds_per_step, compute.memory_bytes_per_s", ""),
]  # fmt: skip


@pytest.mark.parametrize(("build", "options", "key", "came"), BAD, ids=[f"{b[0].__name__}-{b[1]}" for b in BAD])
def test_refused_at_construction(build: Any, options: dict[str, Any], key: str, came: Any) -> None:
    with pytest.raises(ValueError) as error:
        build(workers=3, stragglers=NoStragglers(), **options)
    assert str(error.value).startswith(f"compute.{key}: expected") and str(came) in str(error.value)
