"""How claims are judged and told: intervals by hand, the page from saved outcomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.claims import outcome
from benchmarks.claims.outcome import Outcome, Row, equal, load, spread
from benchmarks.claims.page import page


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([0.1, 0.2, 0.3], "equal"),
        ([-3.0, -3.1, -2.9], "differs"),
        ([0.0, 2.0, -2.0], "undecided with 3 seeds"),  # the interval is wider than the margin
        ([1.0, 1.1, 0.9], "undecided with 3 seeds"),  # it straddles the margin
    ],
)
def test_equal_means_the_whole_interval_within_the_margin(differences: list[float], verdict: str) -> None:
    assert equal(differences).startswith(verdict + ":")


def test_spread() -> None:
    assert spread([1.0, 3.0]) == "2.00 ± 1.41" and spread([2.0]) == "2.00"


def test_what_is_saved_comes_back_and_makes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome, "DOCS", tmp_path)
    made = Outcome("b", "A paper", "it works", "a run", [Row("bits", "10×", "9×", "10 % less")], "Noise.", 3.2, "a box")
    made.save()
    pictured = Outcome("a", "Another", "so does this", "two runs", figure="a.svg")
    pictured.save()
    assert load() == [pictured, made]
    text = page(load())
    assert text.count("![") == 1 and "\n![a: so does this](claims/a.svg)\n" in text
    assert "| bits | 10× | 9× | 10 % less |" in text and text.index("## a") < text.index("## b")
    assert "3 s on a box: `make reproduce CLAIM=b`." in text
