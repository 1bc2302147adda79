"""The page of ratios, and what collects them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import adapters, page
from benchmarks.peers.environment import last_line, pinned
from benchmarks.results import Part, Ratio, read, write


def made(name: str = "kernels", **details: object) -> Part:
    machine = {"processor": "a box", "cores": 2, "system": "Linux", "load_1min": 0.1, "torch": "2.0", "numba": None}
    ratios = [Ratio("sign", 2.0, "copy"), Ratio("a", 1.3, "pass", 1.2), Ratio("b", 5.0, "ours", 4.0, "more")]
    return Part(name, f"python {name}.py", ratios, 12.4, dict(details), "abc", machine)


def test_the_page_tells_ratios_goals_machine_versions_and_commit() -> None:
    text = page.page([made("z"), made("a", failures={"flgo": "ERROR: no wheel"})])
    assert text.index("## a") < text.index("## z")
    assert "| sign | 2.00 | copy |  |  |" in text
    assert "| a | 1.30 | pass | at most 1.2 | missed |" in text
    assert "| b | 5.00 | ours | at least 4 | met |" in text
    assert "`python z.py`: 12 s on a box, 2 cores, Linux, load 0.1; torch 2.0; commit abc." in text
    assert text.count("Not run: flgo (ERROR: no wheel).") == 1


def test_measured_parts_take_the_place_of_committed_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page, "COMMITTED", tmp_path / "committed")
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    write(made("kernels"), tmp_path / "committed" / "kernels.json")
    new = Part("kernels", "python new.py", [Ratio("sign", 1.0, "copy")], machine={})
    write([new, made("rounds")], tmp_path / "all.json")
    assert page.main([str(tmp_path / "all.json")]) == 0
    assert read(tmp_path / "committed" / "kernels.json") == [new]
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "python new.py" in text and "## rounds" in text
    assert page.main([str(tmp_path / "missing.json")]) == 1
    assert capsys.readouterr().err.startswith(f"page: {tmp_path / 'missing.json'}: expected a file of ratios")


def test_parts_are_collected_and_a_failure_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    memory = {"algorithm": "topk", "workers": 4, "coordinates": 1000, "peak_bytes": 50, "allowed_bytes": 100}
    parts = {
        "broken": command.Measurement((("-c", "raise SystemExit('no luck')"),), adapters.memory),
        "memory": command.Measurement(
            (("-c", f"print('said'); print({json.dumps(json.dumps(memory))})"),), adapters.memory
        ),
        "silent": command.Measurement((("-c", "print('nothing')"),), adapters.memory),
    }
    monkeypatch.setattr(command, "PARTS", parts)
    write(made("broken"), tmp_path / "broken.json")  # of an older run
    write(made("kernels"), tmp_path / "kernels.json")
    assert command.main(["broken", "memory", "silent", "--folder", str(tmp_path)]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "benchmarks: broken: no luck"
    assert told[1].startswith("benchmarks: silent: expected a line of JSON")
    found = {part.name: part for part in read(tmp_path / "all.json")}
    assert sorted(found) == ["kernels", "memory"]
    assert found["memory"].ratios == [Ratio("topk, 4 x 1,000", 0.5, "the memory that is allowed", 1.0)]


def test_unknown_parts_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["nonsense", "--folder", str(tmp_path)]) == 1
    assert "expected some of kernels, " in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_older_benchmarks_are_read() -> None:
    row = {"cpu_ratio": 1.5, "median_ratio": 9.0}
    found = {"options": {"model": "mlp", "workers": 4, "batch": 2}, "variants": {"plain": row, "auto_1": row}}
    assert adapters.gradients([found]) == [Ratio("mlp, 4 x 2, auto", 1.5, "plain pass")]
    case = {"replay_s": 10.0, "many_s": 0.1}
    shape = {"networks": 3, "rounds": 5, "workers": 2}
    (ratio,) = adapters.retime([{"options": shape, "cases": {"ring": case}}])
    assert (ratio.what, ratio.value, ratio.better) == ("ring, 3 networks x 5 rounds x 2", 100.0, "more")
    star = {"heterogeneous": {"softmax": {"workers": 1000, "clock_share": 0.08}}}
    assert adapters.scale([star])[0].value == 0.08
    assert adapters.values('{\n "a": 1\n}') == [{"a": 1}]


def test_peers_share_our_torch_and_nothing_else() -> None:
    assert [line.split("==")[0] for line in pinned()] == ["numpy", "torch"]
    assert last_line("a\nERROR: no match\nsee b\n\n") == "ERROR: no match" and last_line("a\nb\n") == "b"
    assert last_line("") == ""


@pytest.mark.parametrize("script", ["kernels", "codecs"])
def test_a_small_measurement_is_written(script: str, tmp_path: Path) -> None:
    root, out = Path(command.__file__).resolve().parents[1], tmp_path / "out.json"
    size = ["--rows", "2", "--coordinates", "3000", "--repeats", "1", "--json", str(out)]
    command.spoken([str(root / "benchmarks" / f"{script}.py"), *size], show=False)
    (part,) = read(out)
    assert part.name == script and part.machine["torch"] and all(ratio.value > 0 for ratio in part.ratios)
