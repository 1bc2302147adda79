"""What every algorithm promises, found by globbing; a racy one is excused only where its answer may depend on time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import simulator.drivers.record as record
import simulator.records.recording as recording
from algorithms.compressors import Identity
from algorithms.exchanges import ErrorFeedback, ServerMean
from algorithms.payloads import Payload, decode
from algorithms.synchronous import Synchronous
from simulator.drivers.replay import retimed
from simulator.records.counters import tally
from simulator.records.folder import RunFolder
from simulator.records.recording import timeline_row
from simulator.retimed_folder import retime
from simulator.runner import Run
from tests.running import composed, run

SMALL = ["workers=8", "rounds=6", "eval_every=2", "chunk=2"]


def built(folder: Path, algorithm: str, searchpath: str | None, *overrides: str) -> Run:
    """Build a run of the algorithm on the small quadratic."""
    return Run(composed(f"algorithm={algorithm}", *SMALL, *overrides, searchpath=searchpath), folder)


def synchronous(made: Run) -> Synchronous:
    """Give the algorithm, or skip the test if it is not a synchronous one."""
    if made.messaging:
        pytest.skip("racy: its programs meet at no collective")
    algorithm: Synchronous = made.algorithms[0]
    return algorithm


def test_same_seed_twice_is_bit_identical(tmp_path: Path, algorithm: str, searchpath: str | None) -> None:
    one, two = (built(tmp_path / name, algorithm, searchpath).execute() for name in "ab")
    other = built(tmp_path / "c", algorithm, searchpath, "seed=2").execute()
    assert one["digest"] == two["digest"] != other["digest"]
    for name in ("metrics", "timeline"):
        assert (tmp_path / f"a/{name}.parquet").read_bytes() == (tmp_path / f"b/{name}.parquet").read_bytes()
    assert (tmp_path / "a/trace.jsonl").read_bytes() == (tmp_path / "b/trace.jsonl").read_bytes()


@pytest.mark.parametrize("hosting", [["parts=2"], ["parts=4"], ["threads=2"], ["state_on=file"]])
def test_hosting_does_not_change_a_bit(
    tmp_path: Path, algorithm: str, searchpath: str | None, hosting: list[str]
) -> None:
    whole = built(tmp_path / "whole", algorithm, searchpath)
    synchronous(whole)
    split = built(tmp_path / "split", algorithm, searchpath, *hosting)
    assert whole.execute()["digest"] == split.execute()["digest"]
    for name in ("trace.jsonl", "metrics.parquet", "timeline.parquet"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "split" / name).read_bytes()


def test_narrow_state_does_not_see_hosting(tmp_path: Path, algorithm: str, searchpath: str | None) -> None:
    hostings = [[], ["parts=2", "threads=2"], ["state_on=file", "threads=2"]]
    runs = [
        built(tmp_path / str(i), algorithm, searchpath, "state_dtype=bf16", *hosting)
        for i, hosting in enumerate(hostings)
    ]
    held = [rows for rows in synchronous(runs[0]).rows() if rows.dtype is None]
    assert len({made.execute()["digest"] for made in runs}) == 1
    assert all(rows.values is not None and rows.values.dtype == torch.bfloat16 for rows in held)


def test_one_cohort_equals_cohorts_of_one(tmp_path: Path, algorithm: str, searchpath: str | None) -> None:
    everyone = ["chunk=1", "participation=1.0"]
    whole = built(tmp_path / "whole", algorithm, searchpath, *everyone)
    synchronous(whole)
    ones = built(tmp_path / "ones", algorithm, searchpath, *everyone, "parts=8")
    assert whole.execute()["digest"] == ones.execute()["digest"]


def test_network_changes_only_the_clock(tmp_path: Path, algorithm: str, searchpath: str | None) -> None:
    made = built(tmp_path / "a", algorithm, searchpath, "network=lan_1g")
    synchronous(made)
    fast = made.execute()
    slow = built(tmp_path / "b", algorithm, searchpath, "network=lte").execute()
    assert fast["digest"] == slow["digest"]
    assert fast["simulated_seconds"] < slow["simulated_seconds"]
    assert (tmp_path / "a/metrics.parquet").read_bytes() == (tmp_path / "b/metrics.parquet").read_bytes()


def test_retimed_equals_cosimulated_exactly(tmp_path: Path, algorithm: str, searchpath: str | None) -> None:
    here = built(tmp_path / "here", algorithm, searchpath, "network=wan_10m", "stragglers=lognormal")
    racy = here.messaging
    here.execute()
    source = RunFolder(tmp_path / "here")
    there = composed(f"algorithm={algorithm}", *SMALL, "network=lte", "stragglers=lognormal", searchpath=searchpath)
    if racy:
        with pytest.raises(ValueError, match="racy one.*server"):
            retime(source, there, RunFolder(tmp_path / "there"))
        return
    moments = retimed(source.trace, here.network, here.compute, set(source.read_table("metrics")["round"].to_pylist()))
    assert [timeline_row(t, moment) for t, moment in moments] == source.read_table("timeline").to_pylist()
    summary = retime(source, there, RunFolder(tmp_path / "there"))
    fresh = Run(there, tmp_path / "fresh").execute()
    assert summary["simulated_seconds"] == fresh["simulated_seconds"]
    assert summary["gradient_seconds"] == 0 < fresh["gradient_seconds"]
    assert (tmp_path / "there/timeline.parquet").read_bytes() == (tmp_path / "fresh/timeline.parquet").read_bytes()


def test_recorded_bytes_are_what_the_codec_writes(
    tmp_path: Path, algorithm: str, searchpath: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def spy(payload: Payload) -> Tensor:
        messages = [payload.encode(row) for row in range(payload.rows)]
        assert [len(message) for message in messages] == payload.bytes.tolist()
        for row, message in enumerate(messages):
            assert decode(message).equals(payload.select(slice(row, row + 1)))
        seen.append(payload)
        return tally(payload)

    monkeypatch.setattr(record, "tally", spy)
    monkeypatch.setattr(recording, "tally", spy)
    summary = built(tmp_path, algorithm, searchpath).execute()
    assert seen
    assert summary["uplink_wire_bytes"] > 0 and summary["downlink_wire_bytes"] > 0


class Watched:
    """An exchange that checks the law it declares on every call."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.calls = inner, 0
        self.conserves, self.samples = inner.conserves, inner.samples

    async def __call__(self, cohort: Any, update: Tensor, t: int) -> tuple[Tensor, Payload]:
        feedback = isinstance(self.inner, ErrorFeedback)
        before = self.inner.residual.open(cohort, update.shape[1]).clone() if feedback else None
        corrected = update.clone() if before is None else before + update
        mean, sent = await self.inner(cohort, update, t)
        self.calls += 1
        assert mean.shape == (update.shape[1],) and sent.rows == cohort.size
        if self.conserves == "workers":
            weights = cohort.weights[:, None].to(torch.float64)
            total = (weights * sent.dense().double()).sum(0)
            torch.testing.assert_close(mean.double(), total, rtol=1e-5, atol=1e-6 * float(total.abs().max()))
        if before is not None:
            after = self.inner.residual.open(cohort, update.shape[1])
            kept = sent.dense() + after
            if after.dtype == torch.bfloat16:  # what remains is off by less than 2**-7 of itself
                assert bool(((kept - corrected).abs() <= 2.0**-7 * after.abs() * 2 + 4e-7 * scale(corrected)).all())
            else:
                atol = 0 if exact(sent) else 2e-7 * scale(corrected)
                torch.testing.assert_close(kept, corrected, rtol=2.4e-7, atol=atol)
        return mean, sent

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.inner.state()
        return found


def exact(sent: Payload) -> bool:
    """Whether values travel unchanged, so that what stays behind is exactly zero."""
    return type(sent).__name__ in ("Sparse", "Dense")


def scale(rows: Tensor) -> float:
    """The largest magnitude, to which an ulp refers where a subtraction cancels."""
    return float(rows.abs().max()) * 4


@pytest.mark.parametrize("kept", ["null", "bf16"])
def test_conservation_and_residuals(tmp_path: Path, algorithm: str, searchpath: str | None, kept: str) -> None:
    made = built(tmp_path, algorithm, searchpath, f"state_dtype={kept}")
    program = synchronous(made)
    watched = Watched(program.exchange)
    program.exchange = watched
    made.execute()
    assert watched.calls == 6
    assert watched.conserves in ("none", "workers", "workers+server")


def compressing(exchange: Any) -> Any:
    """Find the exchange that holds the compressor, inside any wrappers."""
    while hasattr(exchange, "inner"):
        exchange = exchange.inner
    return exchange if hasattr(exchange, "compressor") else None


def test_compression_off_equals_plain_averaging(tmp_path: Path, algorithm: str, searchpath: str | None) -> None:
    off, plain = (built(tmp_path / name, algorithm, searchpath) for name in ("off", "plain"))
    holder = compressing(synchronous(off).exchange)
    if holder is None:
        pytest.skip("it has no compressor to switch off")
    holder.compressor = Identity()
    plain.algorithms[0].exchange = ServerMean(Identity())
    off.execute(), plain.execute()
    torch.testing.assert_close(off.algorithms[0].model, plain.algorithms[0].model, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_any_number_of_workers(tmp_path: Path, algorithm: str, searchpath: str | None, workers: int) -> None:
    summary = built(tmp_path, algorithm, searchpath, f"workers={workers}", "rounds=3").execute()
    assert summary["simulated_seconds"] > 0


def test_loss_falls_on_a_quadratic(tmp_path: Path, algorithm: str, searchpath: str | None) -> None:
    # a rate at which even one random coordinate of 31 per round is stable under error feedback
    config = composed(f"algorithm={algorithm}", *SMALL, "rounds=150", "task.dimensions=31", searchpath=searchpath)
    if "lr" in config.algorithm:
        config.algorithm.lr = 0.02
    made = Run(config, tmp_path)
    start = made.task.evaluate(made.algorithms[0].model).loss
    end = made.execute()["final_loss"]
    assert made.task.optimum is not None
    assert end - made.task.optimum < 0.9 * (start - made.task.optimum)


def test_state_survives_a_checkpoint(tmp_path: Path, algorithm: str, searchpath: str | None) -> None:
    straight = built(tmp_path / "a", algorithm, searchpath)
    program = synchronous(straight)
    halfway: list[dict[str, Any]] = []
    overrides = [f"algorithm={algorithm}", *SMALL, "checkpoint_every=3"]
    saved = Run(composed(*overrides, searchpath=searchpath), tmp_path / "b")
    keep = saved.folder.write_checkpoint
    saved.folder.write_checkpoint = lambda state: (halfway.append(state["round"]), keep(state))[0]  # type: ignore[method-assign]
    assert saved.execute()["digest"] == straight.execute()["digest"]
    assert halfway == [3] and program.round == 6


def test_commands_of_the_yaml_run(tmp_path: Path, algorithm: str, searchpath: str | None) -> None:
    made, summary = run(
        tmp_path,
        f"algorithm={algorithm}",
        "task=fashion_mnist_mini",
        "model=softmax",
        "workers=4",
        "rounds=4",
        searchpath=searchpath,
    )
    assert summary["gradient_seconds"] > 0 and 0 < summary["final_accuracy"] <= 1
    assert made.folder.complete
