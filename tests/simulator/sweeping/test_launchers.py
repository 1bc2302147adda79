"""Every launcher gives what one process gives, job by job and digest by digest, and survives what a job does."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from simulator.config import register
from simulator.sweeping import launchers
from simulator.sweeping.launchers import cores, threads_of_a_job
from tests.simulator.conftest import TOY, Command
from tests.simulator.sweeping.sweeps import GRID, names, results, sweep


def installed(plugin: str) -> bool:
    return importlib.util.find_spec(f"hydra_plugins.{plugin}") is not None


LAUNCHERS = [
    pytest.param(["hydra.launcher.n_jobs=2"], id="processes"),
    pytest.param(
        ["hydra/launcher=ray_cluster", "hydra.launcher.ray.init.num_cpus=2"],
        id="ray",
        marks=pytest.mark.skipif(not installed("hydra_ray_launcher"), reason="needs bitclock[ray]"),
    ),
    pytest.param(
        ["hydra/launcher=submitit_local", "hydra.launcher.cpus_per_task=1"],
        id="submitit",
        marks=pytest.mark.skipif(not installed("hydra_submitit_launcher"), reason="needs bitclock[slurm]"),
    ),
]


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_every_launcher_gives_the_table_of_a_serial_sweep(tmp_path: Path, serial: Path, launcher: list[str]) -> None:
    folder = tmp_path / "sweep"
    done = sweep(folder, *GRID, *launcher)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 jobs finished, 0 not" in done.stdout.splitlines()[-1]
    assert names(folder) == names(serial)
    assert results(folder).equals(results(serial))
    for manifest in folder.glob("*/manifest.json"):
        content = json.loads(manifest.read_text())
        assert content["device_settings"]["intra_op_threads"] == 1
        assert content["chunk_threads"] in (1, max(1, cores() // 2))


def test_a_failure_in_another_process_leaves_the_rest_alone(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    done = sweep(folder, *TOY, "seed=1,2", "algorithm.lr=-1,0.1", "hydra.launcher.n_jobs=2")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(told) == 2 and all("algorithm.lr: expected a positive learning rate, got -1" in line for line in told)
    assert len(list(folder.glob("*/failed.json"))) == len(list(folder.glob("*/summary.json"))) == 2
    assert "2 of 4 jobs finished, 2 not" in done.stdout.splitlines()[-1]


def test_a_worker_that_dies_costs_one_line_and_the_same_command_goes_on(tmp_path: Path, serial: Path) -> None:
    folder, extension = tmp_path / "sweep", tmp_path / "dying"
    (extension / "conf" / "faults").mkdir(parents=True)
    for part in ("", "conf"):
        (extension / part / "__init__.py").touch()
    (extension / "deadly.py").write_text(
        "import os, pathlib\n"
        "from simulator.faults import Faults\n"
        "def none(once, name):\n"
        "    mark = pathlib.Path(once)\n"
        "    if not mark.exists():\n"
        "        mark.touch()\n"
        "        os._exit(9)\n"
        "    return Faults()\n"
    )
    (extension / "conf" / "faults" / "deadly.yaml").write_text(
        f"_target_: dying.deadly.none\nonce: {tmp_path / 'died'}\nname: none\n"
    )
    given = ["seed=1,2", *TOY, "hydra.launcher.n_jobs=2", "hydra.searchpath=[pkg://dying.conf]", "faults=deadly"]
    path = f"{Path(__file__).resolve().parents[3]}:{tmp_path}"
    done = sweep(folder, *given, PYTHONPATH=path)
    assert done.returncode == 1 and "error: the launcher gave up: " in done.stderr
    assert "Traceback" not in done.stderr
    done = sweep(folder, *given, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert len(list(folder.glob("*/summary.json"))) == 2


@pytest.mark.parametrize(("name", "extra"), [("ray_cluster", "ray"), ("slurm", "slurm"), ("submitit_local", "slurm")])
def test_a_missing_package_is_named_by_its_extra(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch, name: str, extra: str
) -> None:
    monkeypatch.setattr(launchers, "_installed", lambda package: False)
    code, out, err = command("simulator", "-m", *TOY, f"hydra/launcher={name}", f"hydra.sweep.dir={tmp_path / 's'}")
    assert code == 1 and not out
    assert err.splitlines() == [
        f"error: hydra/launcher: expected one that is installed, got {name}, which needs pip install "
        f"'bitclock[{extra}]'"
    ]


@pytest.mark.skipif(not installed("hydra_submitit_launcher"), reason="needs bitclock[slurm]")
def test_the_slurm_launcher_composes_with_its_settings() -> None:
    register()
    overrides = ["hydra/launcher=slurm", "hydra.launcher.partition=short", "hydra.launcher.cpus_per_task=4"]
    with initialize_config_module("conf", version_base="1.3"):
        launcher = compose("config", overrides=overrides, return_hydra_config=True).hydra.launcher
    assert launcher._target_.endswith("SlurmLauncher")
    assert (launcher.partition, launcher.cpus_per_task, launcher.name) == ("short", 4, "bitclock")


@pytest.mark.parametrize(
    ("launcher", "threads"),
    [
        ({"_target_": "x.JoblibLauncher", "n_jobs": 1}, 8),
        ({"_target_": "x.JoblibLauncher", "n_jobs": 3}, 2),
        ({"_target_": "x.JoblibLauncher", "n_jobs": -1}, 1),
        ({"_target_": "x.JoblibLauncher", "n_jobs": 20}, 1),
        ({"_target_": "x.RayLauncher", "ray": {"remote": {"num_cpus": 2}}}, 2),
        ({"_target_": "x.RayLauncher", "ray": {"remote": {}}}, 1),
        ({"_target_": "hydra_plugins.hydra_submitit_launcher.x.SlurmLauncher", "cpus_per_task": 4}, 4),
        ({"_target_": "hydra_plugins.hydra_submitit_launcher.x.SlurmLauncher", "cpus_per_task": None}, 8),
        ({"_target_": "x.BasicLauncher"}, 8),
    ],
)
def test_a_job_starts_its_share_of_threads(
    monkeypatch: pytest.MonkeyPatch, launcher: dict[str, object], threads: int
) -> None:
    monkeypatch.setattr(launchers, "cores", lambda: 8)
    assert threads_of_a_job(OmegaConf.create(launcher)) == threads
