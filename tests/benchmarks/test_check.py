"""The comparison with committed ratios: what is a loss, what is told, what is refused; by made-up files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.check import main
from benchmarks.results import Part, Ratio, read, write

MACHINE = {"processor": "a box", "cores": 2}


def part(name: str, *ratios: Ratio, processor: str = "a box") -> Part:
    machine = MACHINE | {"processor": processor}
    return Part(name, f"python {name}", list(ratios), seconds=1.5, commit="abc", machine=machine)


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """One part of which less is better, with one ratio of which more is better, and another part."""
    folder = tmp_path / "committed"
    kernels = part("kernels", Ratio("sign", 2.0, "copy"), Ratio("qsgd", 4.0, "copy", goal=3.0))
    write(kernels, folder / "kernels.json")
    write(part("peers", Ratio("mlp, pfl", 5.0, "ours", goal=4.0, better="more")), folder / "peers.json")
    return folder


def check(tmp_path: Path, committed: Path, *parts: Part, limit: str = "0.25") -> int:
    write(parts, tmp_path / "new.json")
    return main([str(tmp_path / "new.json"), "--committed", str(committed), "--limit", limit])


def test_a_loss_up_to_a_quarter_passes(tmp_path: Path, committed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kernels = part("kernels", Ratio("sign", 2.5, "copy"), Ratio("qsgd", 1.0, "copy"))
    peers = part("peers", Ratio("mlp, pfl", 4.0, "ours", better="more"))
    assert check(tmp_path, committed, kernels, peers) == 0
    assert "3 ratios of kernels, peers: 0 worse by more than 25%" in capsys.readouterr().out


def test_each_larger_loss_is_named(tmp_path: Path, committed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kernels = part("kernels", Ratio("sign", 2.51, "copy"), Ratio("qsgd", 8.0, "copy"))
    peers = part("peers", Ratio("mlp, pfl", 3.99, "ours", better="more"))
    assert check(tmp_path, committed, kernels, peers) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "kernels: sign: 2.00 -> 2.51 x copy, 25% worse" in lines
    assert "kernels: qsgd: 4.00 -> 8.00 x copy, 100% worse" in lines
    assert "peers: mlp, pfl: 5.00 -> 3.99 x ours, 25% worse" in lines
    assert lines[-1] == "3 ratios of kernels, peers: 3 worse by more than 25%"


def test_the_limit_can_be_chosen(tmp_path: Path, committed: Path) -> None:
    kernels = part("kernels", Ratio("sign", 2.2, "copy"), Ratio("qsgd", 4.0, "copy"))
    assert check(tmp_path, committed, kernels, limit="0.25") == 0
    assert check(tmp_path, committed, kernels, limit="0.05") == 1


def test_a_ratio_that_is_gone_fails_and_a_new_one_does_not(
    tmp_path: Path, committed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, committed, part("kernels", Ratio("sign", 2.0, "copy"), Ratio("new", 9.0, "copy"))) == 1
    out = capsys.readouterr().out
    assert "kernels: qsgd: was 4.00 x copy, is gone" in out and "new" not in out.replace("new.json", "")
    assert "peers: not measured again" in out


def test_another_yardstick_is_no_comparison(
    tmp_path: Path, committed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, committed, part("kernels", Ratio("sign", 0.1, "pass"), Ratio("qsgd", 4.0, "copy"))) == 1
    assert "kernels: sign: expected copy as the yardstick, got pass" in capsys.readouterr().out


def test_another_machine_is_told(tmp_path: Path, committed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kernels = part("kernels", Ratio("sign", 2.0, "copy"), Ratio("qsgd", 4.0, "copy"), processor="another")
    assert check(tmp_path, committed, kernels) == 0
    assert "kernels: on another, committed on a box: ratios agree only roughly" in capsys.readouterr().out


def test_nothing_in_common_fails(tmp_path: Path, committed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, committed, part("rounds", Ratio("lenet5", 1.0, "pass"))) == 1
    assert capsys.readouterr().err == "check: expected a part of kernels, peers, got rounds\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "expected a file of ratios, got none"),
        ("{", "expected JSON, got"),
        ("3", "expected a part or a table with the key 'parts', got int"),
        ('{"parts": [{"name": "kernels"}]}', "got no 'ratios'"),
        ('{"name": "k", "command": "c", "ratios": [{"what": "sign"}]}', "'value' and 'yardstick'"),
        ('{"name": "k", "command": "c", "ratios": [{"what": "a", "value": 0, "yardstick": "y"}]}', "a positive ratio"),
        ('{"name": "k", "command": "c", "ratios": [{"what": "a", "value": NaN, "yardstick": "y"}]}', "positive ratio"),
    ],
)
def test_bad_files_are_refused_in_one_line(
    tmp_path: Path, committed: Path, capsys: pytest.CaptureFixture[str], text: str | None, told: str
) -> None:
    if text is not None:
        (tmp_path / "bad.json").write_text(text, encoding="utf-8")
    assert main([str(tmp_path / "bad.json"), "--committed", str(committed)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"check: {tmp_path / 'bad.json'}: ") and told in line


def test_a_part_or_a_ratio_that_is_there_twice_is_refused(
    tmp_path: Path, committed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = part("kernels", Ratio("sign", 2.0, "copy"))
    assert check(tmp_path, committed, one, one) == 1
    assert "expected each part once, got several of kernels" in capsys.readouterr().err
    with pytest.raises(ValueError, match="kernels: expected each ratio once, got several of 'sign'"):
        part("kernels", Ratio("sign", 2.0, "copy"), Ratio("sign", 3.0, "copy"))


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    one = part("kernels", Ratio("sign – all", 2.0, "copy", 1.5), Ratio("b", 1, "copy", better="more"))
    write(one, tmp_path / "one.json")
    write([one, one], tmp_path / "both.json")
    assert read(tmp_path / "one.json") == [one] and read(tmp_path / "both.json") == [one, one]
    assert json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))["machine"] == MACHINE


def test_goals_depend_on_what_is_better() -> None:
    assert Ratio("a", 1.0, "y", 1.0).met and not Ratio("a", 1.1, "y", 1.0).met
    assert Ratio("a", 1.0, "y", 1.0, "more").met and not Ratio("a", 0.9, "y", 1.0, "more").met
    with pytest.raises(ValueError, match="expected better=less or more, got 'fast'"):
        Ratio("a", 1.0, "y", better="fast")
