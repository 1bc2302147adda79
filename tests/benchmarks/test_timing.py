"""How things are timed side by side."""

from __future__ import annotations

import pytest

from benchmarks import timing


class Clock:
    """Processor time that passes only when somebody works."""

    def __init__(self) -> None:
        self.now = 0.0
        self.order: list[str] = []

    def work(self, name: str, seconds: list[float]) -> None:
        self.order.append(name)
        self.now += seconds.pop(0) if len(seconds) > 1 else seconds[0]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The module's clock."""
    one = Clock()
    monkeypatch.setattr(timing.time, "process_time", lambda: one.now)
    return one


def test_the_median_of_each_without_warm_up_and_in_turns(clock: Clock) -> None:
    slow = [9.0, 7.0, 1.0, 5.0, 2.0]  # a warm-up, a try, three that count
    found = timing.interleaved({"a": lambda: clock.work("a", slow), "b": lambda: clock.work("b", [0.5])}, 3)
    assert found == pytest.approx({"a": 2.0, "b": 0.5})
    assert "".join(clock.order) == "abab" + "ababab"


def test_what_is_short_is_called_several_times_in_a_row(clock: Clock) -> None:
    found = timing.interleaved({"a": lambda: clock.work("a", [0.002])}, 2)
    assert found == pytest.approx({"a": 0.002}) and len(clock.order) == 2 + 2 * 3
    with pytest.raises(ValueError, match="repeats: expected at least 1, got 0"):
        timing.interleaved({}, 0)
