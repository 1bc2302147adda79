"""Runs by way of the store: trained once, re-timed to the bit, racy ones run anew, killed ones gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator.cached import Obtained, obtain
from simulator.config import differences
from simulator.records.folder import RunFolder, RunFolderError
from simulator.runner import Run
from simulator.store import Store
from tests.running import composed, run

SMALL = ["workers=4", "rounds=6", "eval_every=2", "cache=on"]
FILES = ("metrics.parquet", "timeline.parquet", "links.parquet", "trace.jsonl")


def got(folder: Path, store: Store, *overrides: str) -> Obtained:
    return obtain(composed(*SMALL, *overrides), folder, store)


@pytest.mark.parametrize("algorithm", ["sgd", "topk", "local_sgd", "majority_vote", "sketched_sgd", "qsparse"])
def test_a_known_trajectory_gives_the_run_that_training_gives(tmp_path: Path, algorithm: str) -> None:
    store, chosen = Store(tmp_path / "store"), [f"algorithm={algorithm}"]
    assert got(tmp_path / "a", store, *chosen).how == "trained"
    elsewhere = [*chosen, "network=lte", "stragglers=lognormal", "compute.device=v100"]
    known = got(tmp_path / "b", store, *elsewhere)
    assert known.how == "re-timed" and known.summary["gradient_seconds"] == 0
    _, fresh = run(tmp_path / "c", *SMALL, *elsewhere)
    assert fresh["gradient_seconds"] > 0
    for name in FILES:
        assert (tmp_path / "b" / name).read_bytes() == (tmp_path / "c" / name).read_bytes(), name
    assert differences(RunFolder(tmp_path / "b").read_config(), RunFolder(tmp_path / "c").read_config()) == []
    one, other = known.summary, fresh
    assert {k: v for k, v in one.items() if k[-8:] != "_seconds" or k == "simulated_seconds"} == {
        k: v for k, v in other.items() if k[-8:] != "_seconds" or k == "simulated_seconds"
    }
    assert RunFolder(tmp_path / "b").read_json("manifest")["trajectory"] == known.trajectory


def test_programs_that_talk_by_messages_are_kept_where_time_has_not_touched_them(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    fixed = ["algorithm=qsparse_async", "sync_set@algorithm.sync_set=fixed"]
    assert got(tmp_path / "a", store, *fixed).how == "trained"
    known = got(tmp_path / "b", store, *fixed, "network=lte")
    assert known.how == "re-timed"
    run(tmp_path / "c", *SMALL, *fixed, "network=lte")
    assert (tmp_path / "b" / "timeline.parquet").read_bytes() == (tmp_path / "c" / "timeline.parquet").read_bytes()


def test_a_racy_trajectory_is_run_anew_and_says_why(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    first, second = (got(tmp_path / n, store, "algorithm=async_sgd", f"network={n}") for n in ("lte", "lan_1g"))
    assert first.how == second.how == "co-simulated" and store.keys() == []
    assert "ReceiveAny in server (async_sgd.py:" in str(first) and str(first) == str(second)
    assert second.summary["gradient_seconds"] > 0


def test_faults_bypass_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    told = got(tmp_path / "a", store, "algorithm=ssp", "faults=lossy")
    assert told.how == "co-simulated" and told.because == "faults=lossy" and store.keys() == []


def test_a_damaged_trajectory_is_trained_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(tmp_path / "store")
    first = got(tmp_path / "a", store)
    (store.entry(first.trajectory).path / "metrics.parquet").write_bytes(b"gone")
    again = got(tmp_path / "b", store)
    assert again.how == "trained" and again.summary["digest"] == first.summary["digest"]
    assert "metrics.parquet" in capsys.readouterr().err


def test_a_folder_with_a_run_is_refused_or_gone_on_with(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    got(tmp_path / "a", store)
    with pytest.raises(RunFolderError, match="holds a run already"):
        got(tmp_path / "a", store, "network=lte")
    with pytest.raises(RunFolderError, match="network.name was 'lan_1g', now 'lte'"):
        got(tmp_path / "a", store, "network=lte", "resume=true")
    (tmp_path / "a" / "summary.json").unlink()
    (tmp_path / "a" / "timeline.parquet").unlink()
    assert got(tmp_path / "a", store, "resume=true").how == "re-timed"
    assert RunFolder(tmp_path / "a").complete and (tmp_path / "a" / "timeline.parquet").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("do not touch")
    with pytest.raises(RunFolderError, match="expected a new folder"):
        got(tmp_path / "mine", store)
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "do not touch"


def test_a_network_for_others_is_refused_before_anything(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    got(tmp_path / "a", store)
    with pytest.raises(ValueError, match="network.workers: expected workers=4, got 5"):
        got(tmp_path / "b", store, "network.workers=5")
    assert not (tmp_path / "b").exists()


def test_what_a_killed_process_had_is_gone_on_with_on_another_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first dies (an error no handler knows) in round 5, after a checkpoint in round 4."""
    store, gradients = Store(tmp_path / "store"), 0
    config = composed(*SMALL, "checkpoint_every=4")

    class Killed(BaseException):
        pass

    from simulator.records.recording import Recording

    mark = Recording.mark

    def deadly(self: Recording, t: int, *rest: object, **keys: object) -> None:
        if t == 5:
            raise Killed
        mark(self, t, *rest, **keys)  # type: ignore[arg-type]

    monkeypatch.setattr(Recording, "mark", deadly)
    with pytest.raises(Killed):
        obtain(config, tmp_path / "a", store)
    steps: list[int] = []
    monkeypatch.setattr(
        Recording, "mark", lambda self, t, *rest, **keys: (steps.append(t), mark(self, t, *rest, **keys))
    )
    second = got(tmp_path / "b", store, "network=lte")
    assert second.how == "trained" and steps == [5, 6] and gradients == 0
    monkeypatch.undo()
    run(tmp_path / "c", *SMALL, "network=lte")
    for name in FILES:
        assert (tmp_path / "b" / name).read_bytes() == (tmp_path / "c" / name).read_bytes(), name
    assert store.trainer(second.trajectory) is None and store.keys() == [second.trajectory]


def test_one_that_diverges_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    from simulator.records.recording import Diverged

    store = Store(tmp_path / "store")
    for name in ("a", "b"):
        with pytest.raises(Diverged):
            got(tmp_path / name, store, "algorithm.lr=1e30")
    assert store.keys() == []


def command(folder: Path, *overrides: str) -> list[str]:
    toy = ["task=quadratic", "task.dimensions=97", "device=cpu", "threads=1", "progress=false"]
    return [sys.executable, "-m", "simulator", *toy, "workers=4", *overrides, f"hydra.run.dir={folder}"]


def test_processes_that_ask_at_once_train_once(tmp_path: Path) -> None:
    environment = os.environ | {"BITCLOCK_STORE": str(tmp_path / "store")}
    networks = ("lan_1g", "lte", "wan_10m")
    jobs = [
        subprocess.Popen(
            command(tmp_path / network, "rounds=150", f"network={network}"),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        for network in networks
    ]
    told = [job.communicate()[0] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0, 0], told
    assert sum(": trained" in text for text in told) == 1 and sum(": re-timed" in text for text in told) == 2
    assert len({RunFolder(tmp_path / network).read_json("summary")["digest"] for network in networks}) == 1


def test_a_process_killed_while_another_waits_hands_its_checkpoint_on(tmp_path: Path) -> None:
    environment = os.environ | {"BITCLOCK_STORE": str(tmp_path / "store")}
    slow = ["rounds=3000", "eval_every=1000", "checkpoint_every=20"]
    first = subprocess.Popen(command(tmp_path / "a", *slow), env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (tmp_path / "a" / "checkpoint.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    second = subprocess.Popen(
        command(tmp_path / "b", *slow, "network=lte"), env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    time.sleep(2.5)
    first.send_signal(signal.SIGKILL)
    first.wait()
    said, _ = second.communicate()
    assert second.returncode == 0 and ": trained" in said, said
    assert not RunFolder(tmp_path / "a").complete
    config = composed(*SMALL, *slow, "network=lte", "cache=off")
    summary = Run(config, tmp_path / "c").execute()
    assert RunFolder(tmp_path / "b").read_json("summary")["digest"] == summary["digest"]
    assert (tmp_path / "b" / "timeline.parquet").read_bytes() == (tmp_path / "c" / "timeline.parquet").read_bytes()
