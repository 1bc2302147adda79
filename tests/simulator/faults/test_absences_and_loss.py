"""When workers are away and which messages are lost: the laws of the draws, what was listed, what is refused."""

from __future__ import annotations

import math
from itertools import islice
from typing import Any

import numpy as np
import pytest

from simulator.faults import Absence, MessageLoss, crashes, elastic, lossy, none, scheduled

CRASHES = {"workers": 4, "seed": 1, "mttf_s": 10.0, "mttr_s": "500 ms"}
INFINITY = math.inf


def test_lifetimes_and_repairs_are_exponential() -> None:
    absences = crashes(**CRASHES).absences
    assert absences is not None
    found = [list(islice(absences.of(worker), 500)) for worker in range(4)]
    lives = [a.start_s - b for one in found for a, b in zip(one, [0.0, *(x.end_s for x in one)], strict=False)]
    repairs = [a.end_s - a.start_s for one in found for a in one]
    for drawn, mean in ((lives, 10.0), (repairs, 0.5)):
        # of 2,000 draws the mean is within 4 standard errors, and so is the share beyond the mean, 1/e
        assert np.mean(drawn) == pytest.approx(mean, rel=4 / math.sqrt(2000))
        assert np.mean(np.array(drawn) > mean) == pytest.approx(math.exp(-1), abs=4 * 0.48 / math.sqrt(2000))
        assert min(drawn) > 0


def test_a_draw_belongs_to_seed_worker_and_number() -> None:
    def first(worker: int, **options: Any) -> list[Absence]:
        absences = crashes(**CRASHES | options).absences
        assert absences is not None
        return list(islice(absences.of(worker), 3))

    assert first(2) == first(2) == first(2, workers=9)
    assert first(2) != first(3) and first(2) != first(2, seed=2)


def test_a_permanent_crash_is_the_last() -> None:
    absences = crashes(**CRASHES, permanent=1.0).absences
    assert absences is not None
    (only,) = absences.of(0)
    assert only.end_s == INFINITY
    half = crashes(**CRASHES | {"workers": 200}, permanent=0.5).absences
    assert half is not None
    counts = [len(list(half.of(worker))) for worker in range(200)]
    assert np.mean(counts) == pytest.approx(2.0, abs=4 * math.sqrt(2 / 200))  # geometric


def test_listed_outages() -> None:
    faults = scheduled(workers=3, seed=0, outages=[[1, 5, None], [1, "1 s", "2500 ms"], [0, 0, 1]])
    assert faults and faults.loss is None and faults.absences is not None
    assert list(faults.absences.of(1)) == [Absence(1.0, 2.5), Absence(5.0, INFINITY)]
    assert list(faults.absences.of(0)) == [Absence(0.0, 1.0)] and list(faults.absences.of(2)) == []


def test_members_come_and_go() -> None:
    absences = elastic(workers=3, seed=0, joins=[[0, 1.0], [1, 7.0]], leaves=[[0, 3.0], [1, 2.0]]).absences
    assert absences is not None
    assert list(absences.of(0)) == [Absence(0.0, 1.0, False), Absence(3.0, INFINITY, False)]
    assert list(absences.of(1)) == [Absence(2.0, 7.0, False)]
    assert list(absences.of(2)) == []


def test_nothing_is_no_fault() -> None:
    assert not none() and not lossy(workers=2, seed=0, loss=0.0) and lossy(workers=2, seed=0)


def test_losses_have_their_probability_and_waits_grow_to_their_limit() -> None:
    loss = lossy(workers=2, seed=3, loss=0.2, retry_after_s="100 ms", backoff=3.0, longest_s=2.0).loss
    assert loss is not None
    drawn = [loss.lost(0, -1, number, attempt) for number in range(1000) for attempt in range(3)]
    assert np.mean(drawn) == pytest.approx(0.2, abs=4 * 0.4 / math.sqrt(3000))
    assert drawn[:90] != [loss.lost(-1, 0, number, attempt) for number in range(30) for attempt in range(3)]
    assert [loss.wait_s(attempt) for attempt in (0, 1, 2, 3, 5000)] == pytest.approx([0.1, 0.3, 0.9, 2.0, 2.0])
    assert MessageLoss(3, 0.2, 0.1, 3.0, 2.0) == loss


BAD = [
    (crashes, {"mttf_s": 0}, "faults.mttf_s: expected more than 0 seconds, got 0"),
    (crashes, {"mttr_s": "soon"}, "faults.mttr_s: expected a duration"),
    (crashes, {"mttf_s": INFINITY}, "faults.mttf_s: expected a duration"),
    (crashes, {"permanent": 1.5}, r"faults.permanent: expected a probability in \[0, 1\], got 1.5"),
    (crashes, {"permanent": True}, "faults.permanent"),
    (lossy, {"loss": 1.0}, r"faults.loss: expected a probability in \[0, 1\), got 1.0"),
    (lossy, {"loss": float("nan")}, "faults.loss"),
    (lossy, {"loss": "often"}, "faults.loss"),
    (lossy, {"backoff": 0.5}, "faults.backoff: expected a factor of at least 1, got 0.5"),
    (lossy, {"retry_after_s": 0}, "faults.retry_after_s: expected more than 0 seconds"),
    (lossy, {"longest_s": -1}, "faults.longest_s"),
    (scheduled, {"outages": [[0, 1]]}, r"faults.outages: expected \[worker, start, end\], got \[0, 1\]"),
    (scheduled, {"outages": [7]}, "faults.outages: expected"),
    (scheduled, {"outages": [[4, 1, 2]]}, r"faults.outages: expected a worker in 0\.\.3, got 4"),
    (scheduled, {"outages": [[True, 1, 2]]}, "faults.outages: expected a worker"),
    (scheduled, {"outages": [[0, 2, 2]]}, "faults.outages: expected starts before ends"),
    (scheduled, {"outages": [[0, 1, 3], [0, 2, 4]]}, "for worker 0, which is away until 3.0 s already"),
    (scheduled, {"outages": [[0, 1, None], [0, 2, 4]]}, "which is away until inf s already"),
    (elastic, {"joins": [[0, 1]], "leaves": [[0, 1]]}, "faults.joins, faults.leaves: expected them in turn"),
    (elastic, {"leaves": [[0, 1], [0, 2]]}, "for worker 0: leaves at 1.0 s, leaves at 2.0 s"),
    (elastic, {"joins": [[-1, 1]]}, "faults.joins: expected a worker"),
    (elastic, {"joins": [[0, "x"]]}, "faults.joins: expected a duration"),
]


@pytest.mark.parametrize(("kind", "options", "message"), BAD)
def test_bad_input_is_named(kind: Any, options: dict[str, Any], message: str) -> None:
    base = {"workers": 4, "seed": 0} | ({"mttf_s": 1, "mttr_s": 1} if kind is crashes else {})
    with pytest.raises(ValueError, match=message):
        kind(**base | ({"outages": []} if kind is scheduled else {}) | options)
