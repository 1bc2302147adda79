"""Spans as a trace file that ui.perfetto.dev and chrome://tracing open: a row for each worker, a curve for each link.

References
----------
"Trace Event Format", the Chrome project's document of the JSON format: complete events (ph X), instants (i), counters
(C) and metadata (M), in microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

import numpy as np
import pyarrow as pa

from network_models import SERVER

WORKERS, SERVERS, LINKS = 1, 2, 3  # process numbers: the groups of rows
_COUNTERS = 32  # links with a curve: the busiest
_STREAMS = 8  # rows that a worker may have

Event = dict[str, Any]


def write(
    file: TextIO, spans: pa.Table, rates: Mapping[int, tuple[np.ndarray, np.ndarray]], names: Mapping[int, str]
) -> None:
    """Write a trace.

    Parameters
    ----------
    spans : Table
        As `Spans.table` gives them.
    rates : mapping
        Resource to the moments at which its load changes and the bits/s from each on.
    names : mapping
        Resource to the name of its link, for those of `rates`.
    """
    file.write('{"displayTimeUnit":"ms","traceEvents":[\n')
    separator = ""
    for event in (*_rows(spans), *sorted((*_spans(spans), *_curves(rates, names)), key=_when)):
        file.write(separator + json.dumps(event, separators=(",", ":")))
        separator = ",\n"
    file.write("\n]}\n")


def _when(event: Event) -> tuple[float, int, int]:
    return event["ts"], event["pid"], event.get("tid", 0)


def _tracks(spans: pa.Table) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Give the process and the thread of each span, and the streams' names: 'compute', then the others."""
    workers, streams = spans["worker"].to_numpy(), spans["stream"].to_pylist()
    known = sorted(set(streams), key=lambda stream: (stream != "compute", stream))
    numbers = np.array([known.index(stream) for stream in streams], dtype=np.int64)
    process = np.where(workers == SERVER, SERVERS, WORKERS)
    return process, np.where(workers == SERVER, 0, workers * _STREAMS) + numbers, known


def _rows(spans: pa.Table) -> Iterator[Event]:
    """Name the groups and the rows, in order."""
    for process, name in ((WORKERS, "workers"), (SERVERS, "server"), (LINKS, "links (Mbit/s)")):
        yield {"ph": "M", "name": "process_name", "pid": process, "args": {"name": name}}
        yield {"ph": "M", "name": "process_sort_index", "pid": process, "args": {"sort_index": process}}
    processes, threads, streams = _tracks(spans)
    for process, thread in sorted(set(zip(processes.tolist(), threads.tolist(), strict=True))):
        worker, stream = divmod(thread, _STREAMS)
        name = "server" if process == SERVERS else f"worker {worker}"
        name += f", {streams[stream]}" if stream else ""
        row = {"ph": "M", "pid": process, "tid": thread}
        yield row | {"name": "thread_name", "args": {"name": name}}
        yield row | {"name": "thread_sort_index", "args": {"sort_index": thread}}


def _spans(spans: pa.Table) -> Iterator[Event]:
    """Give a complete event for each span, on whole nanoseconds, so that neighbours meet and never overlap."""
    processes, threads, _ = _tracks(spans)
    begin, end = (np.rint(spans[name].to_numpy() * 1e9).astype(np.int64) for name in ("begin_s", "end_s"))
    columns = (spans["kind"].to_pylist(), spans["op"].to_pylist(), spans["round"].to_pylist())
    reached: dict[tuple[int, int], int] = {}
    for process, thread, first, last, kind, op, number in zip(
        processes.tolist(), threads.tolist(), begin.tolist(), end.tolist(), *columns, strict=True
    ):
        first = max(first, reached.get((process, thread), first))
        reached[process, thread] = last = max(first, last)
        event: Event = {"ph": "X", "name": kind, "cat": op, "pid": process, "tid": thread}
        if kind == "mark":
            yield event | {"ph": "i", "s": "g", "name": f"round {number}", "ts": last / 1e3}
            continue
        yield event | {"ts": first / 1e3, "dur": (last - first) / 1e3, "args": {"op": op, "round": number}}


def _curves(rates: Mapping[int, tuple[np.ndarray, np.ndarray]], names: Mapping[int, str]) -> Iterator[Event]:
    """Give the counters of the busiest links."""
    bits = {resource: float(np.dot(np.diff(when), level[:-1])) for resource, (when, level) in rates.items()}
    for resource in sorted(bits, key=lambda resource: (-bits[resource], resource))[:_COUNTERS]:
        for when, level in zip(*(column.tolist() for column in rates[resource]), strict=True):
            event: Event = {"ph": "C", "name": names[resource], "pid": LINKS, "ts": round(when * 1e9) / 1e3}
            yield event | {"args": {"Mbit/s": level / 1e6}}
