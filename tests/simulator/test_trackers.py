"""Trackers look on: what they are told, that no result depends on them, and that none of them can stop a run."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from simulator.config import differences, plain
from simulator.records.folder import RunFolder
from simulator.records.recording import Diverged
from simulator.runner import Run
from simulator.trackers import WeightsAndBiases
from simulator.trackers import tracker as trackers
from tests.running import composed

SMALL = ["task=logistic", "workers=4", "rounds=10", "eval_every=4", "checkpoint_every=3"]
FILES = ("metrics.parquet", "timeline.parquet", "links.parquet", "trace.jsonl")
TOLD: list[tuple[str, Any]] = []


class Listener:
    """Keeps what it is told, and fails where it is asked to; nothing that it does to what it was given matters."""

    def __init__(self, fails: str = "", name: str = "listener") -> None:
        self.fails, self.name = fails, name

    def _note(self, what: str, told: Any) -> None:
        TOLD.append((what, told))
        if what == self.fails:
            raise ConnectionError("no route to the host\nand more")

    def start(self, config: Mapping[str, Any], folder: Path, after: int) -> None:
        assert folder.is_dir()
        self._note("start", (config["algorithm"]["name"], after))

    def mark(self, t: int, figures: dict[str, float]) -> None:
        self._note("mark", (t, dict(figures)))
        figures.clear()

    def end(self, summary: dict[str, Any] | None) -> None:
        self._note("end", summary and dict(summary))
        if summary:
            summary.clear()


def execute(folder: Path, *overrides: str, fails: str | None = None) -> dict[str, Any]:
    """Run, watched by a `Listener` where `fails` is given."""
    TOLD.clear()
    config = composed(*SMALL, *overrides)
    if fails is not None:
        config.tracker = {"_target_": f"{__name__}.Listener", "fails": fails, "name": "listener"}
    return Run(config, folder).execute()


@pytest.mark.parametrize("algorithm", ["topk", "async_sgd"])
def test_it_is_told_what_the_folder_holds(tmp_path: Path, algorithm: str) -> None:
    summary = execute(tmp_path / "run", f"algorithm={algorithm}", fails="")
    folder = RunFolder(tmp_path / "run")
    assert [what for what, _ in TOLD] == ["start", "mark", "mark", "mark", "end"]
    assert TOLD[0][1] == (algorithm, 0) and TOLD[-1][1] == summary == folder.read_json("summary")
    rows = folder.read_table("metrics").to_pylist()
    seconds = folder.read_table("timeline")["seconds"].to_pylist()
    for (t, figures), row, now in zip((told for what, told in TOLD if what == "mark"), rows, seconds, strict=True):
        known = {key: value for key, value in row.items() if value is not None}
        assert t == row["round"] and figures == known | {"simulated_seconds": now}


@pytest.mark.parametrize("fails", ["start", "mark", "end", ""])
def test_a_run_does_not_depend_on_it(tmp_path: Path, fails: str, capsys: pytest.CaptureFixture[str]) -> None:
    alone = execute(tmp_path / "alone")
    watched = execute(tmp_path / "watched", fails=fails)
    assert watched["digest"] == alone["digest"]
    for name in FILES:
        assert (tmp_path / "watched" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()
    err = capsys.readouterr().err
    warning = "tracker=listener: left out from here on: ConnectionError: no route to the host\n"
    assert err == (warning if fails else "")
    if fails:
        assert [what for what, _ in TOLD].count(fails) == 1 and TOLD[-1][0] == fails  # and nothing after


def test_a_run_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(Diverged):
        execute(tmp_path / "run", "task=quadratic", "algorithm.lr=1e30", fails="")
    assert TOLD[0][0] == "start" and TOLD[-1] == ("end", None)


def test_a_run_that_goes_on_says_from_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(Exception):
        pass

    def stop(self: Any, t: int, *_: Any) -> None:
        if t == 8:
            raise Stop

    with monkeypatch.context() as patch:
        patch.setattr("simulator.progress.Progress.update", stop)
        with pytest.raises(Stop):
            execute(tmp_path / "run", fails="")
    assert TOLD[-1] == ("end", None)
    execute(tmp_path / "run", "resume=true", fails="")  # another configuration of the tracker would be as good
    assert TOLD[0][1][1] == 6 and [told[0] for what, told in TOLD if what == "mark"] == [8, 10]


def test_it_is_no_part_of_what_a_run_is(tmp_path: Path) -> None:
    one, other = (plain(composed(*SMALL, f"tracker={name}")) for name in ("tensorboard", "wandb"))
    assert one["tracker"] != other["tracker"] and differences(one, other) == []
    from figures.groups import identity
    from figures.runs import read_run
    from simulator.answers.groups import grouped
    from simulator.answers.runs import Finished

    for name, fails in (("a", ""), ("b", None)):
        execute(tmp_path / name, fails=fails)
    assert identity(read_run(tmp_path / "a")) == identity(read_run(tmp_path / "b"))
    (group,) = grouped([Finished.read(tmp_path / name) for name in ("a", "b")])
    assert [run.path.name for run in group.runs] == ["a"]


@pytest.mark.parametrize(("name", "package"), [("tensorboard", "tensorboard"), ("wandb", "wandb")])
def test_a_missing_package_is_told_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda asked: None if asked == package else 1)
    with pytest.raises(ValueError, match=rf"tracker: expected the package {package} .*'bitclock\[{name}\]'$"):
        execute(tmp_path / "run", f"tracker={name}")
    assert not (tmp_path / "run").exists()


def test_a_bad_mode_is_named() -> None:
    with pytest.raises(ValueError, match="tracker.mode: expected one of online, offline, disabled, got 'sometimes'"):
        WeightsAndBiases(mode="sometimes")


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="the extra tensorboard is not installed")
def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    summary = execute(tmp_path / "run", "tracker=tensorboard")
    assert summary["digest"] == execute(tmp_path / "alone")["digest"]
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    rows = RunFolder(tmp_path / "run").read_table("metrics").to_pylist()
    for key in ("loss", "accuracy", "uplink_wire_bytes"):
        found = [(event.step, event.value) for event in events.Scalars(key)]
        assert found == [(row["round"], pytest.approx(row[key], rel=1e-6)) for row in rows]
    assert events.Scalars("simulated_seconds")[-1].value == pytest.approx(summary["simulated_seconds"], rel=1e-6)
    assert "algorithm" in events.Tensors("config/text_summary")[0].tensor_proto.string_val[0].decode()


@pytest.mark.skipif(importlib.util.find_spec("wandb") is None, reason="the extra wandb is not installed")
def test_weights_and_biases_offline(tmp_path: Path) -> None:
    summary = execute(tmp_path / "run", "tracker=wandb", "tracker.project=mine")
    assert summary["digest"] == execute(tmp_path / "alone")["digest"]
    (written,) = (tmp_path / "run" / "wandb").glob("offline-run-*/run-*.wandb")
    content = written.read_bytes()
    assert all(part in content for part in (b"simulated_seconds", b"accuracy", b"final_loss", b"mine"))
