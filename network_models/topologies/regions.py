"""Read bandwidths and latencies between regions, from a file or from matrices."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeAlias

from network_models.topologies.parts import Value
from network_models.units import rate_bps, seconds

#: Bits/s and one-way seconds from one region to another.
Pair: TypeAlias = tuple[float, float]
Pairs: TypeAlias = dict[tuple[str, str], Pair]


def read_regions(path: Path | Traversable, regions: Sequence[str] | None = None) -> tuple[list[str], Pairs]:
    """Read a CSV file with the columns source, destination, bandwidth_bps, and latency_s or rtt_s.

    Returns
    -------
    names : list of str
        The regions asked for, or all in the order in which the file names them.
    pairs : dict

    Raises
    ------
    ValueError
        If there is no such file or column, a figure is out of range, or a region is not in it.
    """
    if not path.is_file():
        raise ValueError(f"network.topology.matrix: expected a file, got {path}")
    pairs: Pairs = {}
    with path.open(encoding="utf-8") as lines:
        table = csv.DictReader(lines)
        columns = set(table.fieldnames or ())
        if not {"source", "destination", "bandwidth_bps"} <= columns or not columns & {"latency_s", "rtt_s"}:
            raise ValueError(
                "network.topology.matrix: expected the columns source, destination, bandwidth_bps and latency_s or "
                f"rtt_s, got {', '.join(sorted(columns))}"
            )
        for line in table:
            key = f"{path.name}, line {table.line_num}"
            if "latency_s" in columns:
                latency = seconds(_number(line["latency_s"]), f"{key}: latency_s")
            else:
                latency = seconds(_number(line["rtt_s"]), f"{key}: rtt_s") / 2
            bandwidth = rate_bps(_number(line["bandwidth_bps"]), f"{key}: bandwidth_bps")
            pairs[line["source"], line["destination"]] = bandwidth, latency
    known = list(dict.fromkeys(name for pair in pairs for name in pair))
    names = known if regions is None else list(regions)
    for region in names:
        if region not in known:
            raise ValueError(f"network.topology.regions: expected some of {', '.join(known)}, got {region!r}")
    return different(names), pairs


def matrix_pairs(
    bandwidths_bps: Sequence[Sequence[Value]], latencies_s: Sequence[Sequence[Value]], regions: Sequence[str] | None
) -> tuple[list[str], Pairs]:
    """Read two square matrices, row to column.

    Raises
    ------
    ValueError
        If they are not square, do not fit the names, or hold a figure out of range.
    """
    count = len(bandwidths_bps)
    names = [f"region{number}" for number in range(count)] if regions is None else list(regions)
    for key, matrix in (("bandwidths_bps", bandwidths_bps), ("latencies_s", latencies_s)):
        if len(matrix) != len(names) or any(len(row) != len(names) for row in matrix):
            shape = f"{len(matrix)} rows of {sorted({len(row) for row in matrix})}"
            raise ValueError(f"network.topology.{key}: expected {len(names)} x {len(names)} figures, got {shape}")
    pairs: Pairs = {}
    for row, one in enumerate(names):
        for column, other in enumerate(names):
            if row != column:
                place = f"[{row}][{column}]"
                bandwidth = rate_bps(bandwidths_bps[row][column], f"network.topology.bandwidths_bps{place}")
                latency = seconds(latencies_s[row][column], f"network.topology.latencies_s{place}")
                pairs[one, other] = bandwidth, latency
    return different(names), pairs


def different(names: list[str]) -> list[str]:
    """Refuse to name a region twice, or none at all."""
    if not names or len(set(names)) != len(names):
        raise ValueError(f"network.topology.regions: expected different names, at least one, got {names}")
    return names


def _number(text: str | None) -> Value:
    """A number as such, so that any of Python's spellings is read; other text is left for the units."""
    try:
        return float(text or "")
    except ValueError:
        return text or ""
