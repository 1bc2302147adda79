"""Traces from files: Mahimahi by hand, CSV in several units, and what is refused."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from network_models import SERVER, star
from network_models.conditions import read_trace

SYNTHETIC = Path(__file__).parents[2] / "fixtures" / "fading_12s.mahimahi"
REAL = sorted(Path(os.environ.get("BITCLOCK_DATA", "nowhere"), "traces").glob("*.gz"))  # measured ones, if at hand


def written(folder: Path, text: str, name: str = "trace") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_mahimahi_by_hand(tmp_path: Path) -> None:
    # 12,000 bits in each of the milliseconds that end at 1, 2 (twice) and 5 ms, and one at 0, which is 5 ms again.
    trace = read_trace(written(tmp_path, "0\n1\n2\n2\n5\n"))
    assert trace.period_s == 0.005 and trace.bits(0.0, 0.005) == 60_000
    assert [trace.at(ms / 1000) for ms in (0.5, 1.5, 2.5, 3.5, 4.5, 5.5)] == [12e6, 24e6, 0.0, 0.0, 24e6, 12e6]
    assert trace.finish(0.0, 12_000) == pytest.approx(0.001, rel=1e-12)  # a packet is through when Mahimahi lets it go
    assert trace.finish(0.0, 36_001) == pytest.approx(0.004, rel=1e-3)
    assert trace.finish(0.0, 60_000 * 1000 + 12_000) == pytest.approx(5.001, rel=1e-12)


def test_bins_keep_the_bits(tmp_path: Path) -> None:
    path = written(tmp_path, "1\n2\n2\n5\n")
    coarse = read_trace(path, bin_s=0.002)  # [0, 2) has 3 packets, [2, 4) none, [4, 5) one
    assert [coarse.at(ms / 1000) for ms in (1, 3, 4.5, 5)] == pytest.approx([18e6, 0.0, 12e6, 18e6])
    assert coarse.bits(0.0, 0.005) == pytest.approx(48_000) and coarse.period_s == 0.005
    whole = read_trace(path, bin_s=10.0)
    assert whole.at(0.0) == whole.at(0.0049) == pytest.approx(48_000 / 0.005)


@pytest.mark.parametrize(
    "text", ["time_s,rate_bps\n10,1000\n12,3000\n15,\n", "time_ms, rate_kbit/s\n0,1\n2e3,3\n5000,\n"]
)
def test_csv_that_repeats(tmp_path: Path, text: str) -> None:
    trace = read_trace(written(tmp_path, text))
    assert [trace.at(t) for t in (0, 1.9, 2, 4.9, 5, 7)] == [1e3, 1e3, 3e3, 3e3, 1e3, 3e3]
    assert trace.period_s == 5.0


def test_csv_with_a_unit_in_each_value_and_a_last_rate_for_ever(tmp_path: Path) -> None:
    trace = read_trace(written(tmp_path, "time,rate\n0 s,1.5 Mbit/s\n500 ms,0\n2 s,3MB/s\n"))
    assert [trace.at(t) for t in (0, 0.5, 2, 1e6)] == [1.5e6, 0.0, 24e6, 24e6] and trace.period_s is None
    coarse = read_trace(tmp_path / "trace", bin_s=1.0)
    assert [coarse.at(t) for t in (0, 1, 2, 50)] == [0.75e6, 0.0, 24e6, 24e6]


def test_compressed_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "trace.gz").write_bytes(gzip.compress(SYNTHETIC.read_bytes()))
    packed, plain = read_trace(tmp_path / "trace.gz"), read_trace(SYNTHETIC)
    assert packed.steps.times_s.tobytes() == plain.steps.times_s.tobytes()
    assert packed.steps.rates_bps.tobytes() == plain.steps.rates_bps.tobytes()
    assert plain.period_s == 12.0 and plain.bits(0.0, 12.0) == pytest.approx(12_000 * 6294)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected opportunities over more than 0 ms, got 0"),
        ("0\n0\n", "expected opportunities over more than 0 ms, got 2"),
        ("1\nx\n", "expected whole milliseconds, got 'x' in line 2"),
        ("1\n2.5\n", "expected whole milliseconds, got '2.5' in line 2"),
        ("5\n3\n", "expected milliseconds that do not decrease"),
        ("-1\n3\n", "expected milliseconds that do not decrease, got -1"),
        ("time_s,rate_bps\n", "expected at least one row"),
        ("when,rate_bps\n0,1\n", "expected a header time_s,rate_bps .* got 'when,rate_bps'"),
        ("time_s,rate_bps\n0,1\n1\n", "line 3: expected a time and a rate"),
        ("time_s,rate_bps\n0,\n1,2\n", "line 3: expected a time and a rate .none in the last row only"),
        ("time_s,rate_bps\n0,-1\n", "line 2: expected a positive rate"),
        ("time_s,rate_bps\n0,nan\n", "line 2: expected a positive rate"),
        ("time_s,rate_furlongs\n0,1\n", "line 2: expected a positive rate"),
        ("time_s,rate_bps\n0,1\n0,2\n", "times_s: expected increasing"),
        ("time_s,rate_bps\n-1,1\n", "line 2: expected a duration"),
        ("time_s,rate_bps\n0,0\n9,\n", "expected a trace that delivers .* got at no time"),
        ("time_s,rate_bps\n0,5\n9,0\n", "expected a trace that delivers .* got nothing after 9 s"),
    ],
)
def test_bad_files_name_the_key_and_the_file(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=message) as raised:
        star(2, 1e6, 1e6, 0.0, up_trace=str(path))
    assert str(raised.value).startswith(f"network.up_trace: {path}: ")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ValueError, match=r"network\.down_trace: expected a trace file, got "):
            star(2, 1e6, 1e6, 0.0, down_trace=path)
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"1\n2\n" * 1000)[:-20])
    with pytest.raises(ValueError, match="expected a trace file, got .*broken"):
        read_trace(broken)
    with pytest.raises(ValueError, match=r"network.trace_bin_s: expected more than 0 s"):
        star(2, 1e6, 1e6, 0.0, up_trace=SYNTHETIC, trace_bin_s=0)


def integrated(opportunities: np.ndarray, start_s: float, size_bytes: int) -> float:
    """Walk a file's milliseconds: an opportunity at t is 12,000 bits spread over the millisecond before it."""
    period = int(opportunities[-1])
    packets = np.bincount(np.where(opportunities % period == 0, period, opportunities), minlength=period + 1)
    left, millisecond = 8.0 * size_bytes, int(np.floor(start_s * 1000))
    share = millisecond + 1 - start_s * 1000  # of the first millisecond
    while True:
        bits = 12_000 * int(packets[millisecond % period + 1]) * share
        if bits and left <= bits:
            return (millisecond + 1 - share + share * left / bits) / 1000
        left, millisecond, share = left - bits, millisecond + 1, 1.0


@pytest.mark.parametrize("path", [SYNTHETIC, *REAL], ids=lambda path: path.name)
def test_a_hundred_workers_take_the_integral_of_their_trace(path: Path) -> None:
    raw = path.read_bytes()
    opportunities = np.array((gzip.decompress(raw) if path.suffix == ".gz" else raw).split(), dtype=int)
    net = star(
        100, "inf", "inf", "20 ms", "inf", "inf", up_trace=path, down_trace=path, trace_offset_s="spread", seed=3
    )
    rng = np.random.default_rng(1)
    start, sizes = rng.uniform(0.0, 30.0, 100), rng.integers(10_000, 2_000_000, 100)
    offsets = [net.fabric.rates[worker].offset_s for worker in range(100)]
    expected = [integrated(opportunities, start[i] + 0.02 + offsets[i], sizes[i]) - offsets[i] for i in range(100)]
    finish = net.gather(np.arange(100), start, sizes)[0].finish
    assert finish == pytest.approx(np.array(expected), rel=1e-9)
    down = [integrated(opportunities, 5.0 + 0.02 + offset, 300_000) - offset for offset in offsets]
    assert net.broadcast(np.arange(100), start * 0, 5.0, 300_000).finish == pytest.approx(np.array(down), rel=1e-9)
    assert net.paths.arrival_s(np.arange(100), SERVER, start + 0.02, sizes) == pytest.approx(finish, rel=1e-12)
    # A server that is never the bottleneck changes nothing (its link is narrower than the sum of the peaks).
    near = star(100, 1, 1, "20 ms", 1, "1.5 Gbit/s", up_trace=path, trace_offset_s=offsets)
    assert sum(near.fabric.up_bps[:100]) > 1.5e9
    assert near.gather(np.arange(100), start, sizes)[0].finish == pytest.approx(finish, rel=1e-9)
