"""Time writing and reading real messages, every kind of payload, against one copy of the updates that they stand for.

    python benchmarks/codecs.py
    python benchmarks/codecs.py --rows 2 --coordinates 11000000 --repeats 3

One thread, CPU time, every variant once a repetition, medians. All rows are encoded and decoded one by one. Sizes are
counted before (`benchmarks/kernels.py` times that), as a run counts a message once and writes it on request only.
Beside the ratio stand megabytes of message a second.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from algorithms.compressors import (
    QSGD,
    RandomK,
    ScaledSign,
    Sign,
    SparseBinary,
    SparseLevels,
    SparseTernary,
    TopK,
)
from algorithms.compressors.selection import largest
from algorithms.compressors.sketcher import Sketcher
from algorithms.payloads import Dense, Payload, decode
from algorithms.sketches import CountSketch
from algorithms.voting.ballots import marks
from benchmarks.compression import COPY, Case
from benchmarks.results import Part, Ratio, write
from benchmarks.timing import interleaved
from simulator.threads import keep_memory, one_thread

KINDS: Mapping[str, Callable[[Case], Payload]] = {
    "dense fp32": lambda case: Dense(case.rows),
    "dense fp16": lambda case: Dense.rounded(case.rows, "fp16"),
    "top-k, fixed": lambda case: case.compressed(TopK(case.density, index_code="fixed")),
    "top-k, gamma": lambda case: case.compressed(TopK(case.density, index_code="gamma")),
    "top-k, rice": lambda case: case.compressed(TopK(case.density, index_code="rice")),
    "top-k, bitmap": lambda case: case.compressed(TopK(case.density, index_code="bitmap")),
    "random-k": lambda case: case.compressed(RandomK(case.density)),
    "votes": lambda case: marks(case.rows.shape[1], largest(case.rows, case.kept)),
    "sbc": lambda case: case.compressed(SparseBinary(case.density)),
    "stc": lambda case: case.compressed(SparseTernary(case.density)),
    "qsparse": lambda case: case.compressed(SparseLevels(density=case.density)),
    "signs": lambda case: case.compressed(Sign()),
    "scaled signs": lambda case: case.compressed(ScaledSign()),
    "qsgd, fixed": lambda case: case.compressed(QSGD(level_code="fixed")),
    "qsgd, elias": lambda case: case.compressed(QSGD(level_code="elias")),
    "sketch": lambda case: case.compressed(Sketcher(CountSketch(case.rows.shape[1], 5, 2 * case.kept, seed=1))),
}


def measure(options: argparse.Namespace, kinds: list[str]) -> tuple[list[Ratio], dict[str, dict[str, float]]]:
    """Time the kinds; give ratios, and bytes and bytes a second of each."""
    case = Case.made_up(options.rows, options.coordinates, options.density, options.chunk)
    target = torch.zeros_like(case.rows)
    todo: dict[str, Callable[[], object]] = {COPY: lambda: target.copy_(case.rows)}
    sizes: dict[str, int] = {}
    for name in kinds:
        payload = KINDS[name](case)
        messages = [payload.encode(row) for row in range(payload.rows)]
        sizes[name] = sum(map(len, messages))
        todo[f"encode {name}"] = _encode(payload)
        todo[f"decode {name}"] = _decode(messages)
    seconds = interleaved(todo, options.repeats)
    ratios = [Ratio(name, spent / seconds[COPY], COPY) for name, spent in seconds.items() if name != COPY]
    rates = {
        name: {
            "bytes": size,
            "encoded_bytes_per_s": size / seconds[f"encode {name}"],
            "decoded_bytes_per_s": size / seconds[f"decode {name}"],
        }
        for name, size in sizes.items()
    }
    return ratios, rates


def _encode(payload: Payload) -> Callable[[], object]:
    return lambda: [payload.encode(row) for row in range(payload.rows)]


def _decode(messages: list[bytes]) -> Callable[[], object]:
    return lambda: [decode(message) for message in messages]


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4, help="workers, w")
    parser.add_argument("--coordinates", type=int, default=270_000, help="d")
    parser.add_argument("--density", type=float, default=0.01, help="k / d")
    parser.add_argument("--kind", action="append", choices=KINDS, help="which, all by default")
    parser.add_argument("--chunk", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", type=Path, help="write the ratios to this file")
    options = parser.parse_args()
    one_thread()
    keep_memory()
    begun = time.perf_counter()
    kinds = list(options.kind or KINDS)
    ratios, rates = measure(options, kinds)
    values = {ratio.what: ratio.value for ratio in ratios}
    print(f"{options.rows} x {options.coordinates:,}, x {COPY}")
    print(f"{'':16}{'bytes':>12}{'encode':>9}{'MB/s':>9}{'decode':>9}{'MB/s':>9}")
    for name, rate in rates.items():
        written, given = rate["encoded_bytes_per_s"] / 1e6, rate["decoded_bytes_per_s"] / 1e6
        encoded, decoded = values[f"encode {name}"], values[f"decode {name}"]
        print(f"{name:16}{rate['bytes']:12,}{encoded:9.2f}{written:9.1f}{decoded:9.2f}{given:9.1f}")
    if options.json:
        command = f"python benchmarks/codecs.py --rows {options.rows} --coordinates {options.coordinates}"
        write(Part("codecs", command, ratios, time.perf_counter() - begun, {"rates": rates}), options.json)


if __name__ == "__main__":
    main()
