"""Read traces from files: Mahimahi's packet opportunities, and CSV with units in its header.

References
----------
Netravali et al., "Mahimahi: Accurate Record-and-Replay for HTTP", USENIX ATC 2015 (the format: section 4.2 and
mm-link's manual).
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from network_models.conditions.trace import Trace, delivering
from network_models.units import rate_bps, seconds

PACKET_BITS = 8 * 1500


def read_trace(path: str | Path, bin_s: float | None = None, key: str = "trace") -> Trace:
    """Read a trace from a Mahimahi or a CSV file, perhaps compressed with gzip; the content says which it is.

    Parameters
    ----------
    path : str or Path
        Mahimahi: one whole number of milliseconds per line, each an opportunity to deliver 1500 bytes; not
        decreasing; the last is where the trace begins anew. CSV: see `from_csv`.
    bin_s : float, optional
        Replace the rate by its mean over bins of so many seconds: fewer steps, the same bits.
    key : str
        The name of the setting, for error messages.

    Returns
    -------
    Trace

    Raises
    ------
    ValueError
        If the file cannot be read, is neither, or never delivers, naming the key, the file and the line.
    """
    name = f"{key}: {path}"
    try:
        raw = Path(path).read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        raise ValueError(f"{key}: expected a trace file, got {path} ({error})") from None
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    trace = from_csv(lines, name) if "," in first else from_mahimahi(lines, name)
    return delivering(trace if bin_s is None else binned(trace, bin_s), name)


def from_mahimahi(lines: list[str], name: str = "trace") -> Trace:
    """Spread each opportunity over the millisecond that ends at it; one at 0 belongs to the end of the period.

    So a whole packet has passed when Mahimahi would have delivered it, and each period carries all opportunities.
    """
    try:
        moments = np.array([int(line) for line in lines if line.strip()], dtype=np.int64)
    except ValueError:
        number, line = next((i, line) for i, line in enumerate(lines, 1) if line.strip() and not line.strip().isdigit())
        raise ValueError(f"{name}: expected whole milliseconds, got {line!r} in line {number}") from None
    if not len(moments) or moments[-1] == 0:
        raise ValueError(f"{name}: expected opportunities over more than 0 ms, got {len(moments)} of them")
    if moments[0] < 0 or (np.diff(moments) < 0).any():
        raise ValueError(f"{name}: expected milliseconds that do not decrease, got {moments.min()} or a step back")
    period = int(moments[-1])
    counts = np.bincount((moments - 1) % period, minlength=period)
    return Trace(np.arange(period) / 1000, counts * (PACKET_BITS * 1000.0), period / 1000)


def from_csv(lines: list[str], name: str = "trace") -> Trace:
    """Read a header with units, such as ``time_s,rate_bps`` or ``time_ms,rate_Mbit/s``, and one row per step.

    Without a unit in the header (``time,rate``), each value has its own: ``1.5 s,3 Mbit/s``. A last row with a time
    and no rate says where the trace begins anew; without one, the last rate holds for ever. Times are taken from the
    first row's on.
    """
    rows = [(number, line.split(",")) for number, line in enumerate(lines, 1) if line.strip()]
    header = [column.strip() for column in rows[0][1]]
    units = [column.partition("_") for column in header]
    if [unit[0] for unit in units] != ["time", "rate"]:
        raise ValueError(f"{name}: expected a header time_s,rate_bps (or other units), got {','.join(header)!r}")
    times, rates, end = [], [], None
    for number, row in rows[1:]:
        where = f"{name}: line {number}"
        if len(row) != 2 or end is not None:
            raise ValueError(f"{where}: expected a time and a rate (none in the last row only), got {','.join(row)!r}")
        time = seconds(f"{row[0].strip()} {units[0][2]}".strip(), where)
        if not row[1].strip():
            end = time
        else:
            times.append(time)
            rates.append(_rate(row[1].strip(), units[1][2], where))
    if not times:
        raise ValueError(f"{name}: expected at least one row after the header, got none")
    try:
        return Trace(np.array(times) - times[0], rates, None if end is None else end - times[0])
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _rate(text: str, unit: str, where: str) -> float:
    """Read a rate of at least 0."""
    number = text.split()[0]
    try:
        if float(number) == 0:
            return 0.0
    except ValueError:
        pass  # such as 3Mbit/s, or something that the next line refuses
    return rate_bps(f"{text} {unit}".strip(), where)


def binned(trace: Trace, bin_s: float) -> Trace:
    """Take the mean rate of each bin; the last bin of a period may be shorter."""
    if not 0 < bin_s < np.inf:
        raise ValueError(f"bin_s: expected a positive number of seconds, got {bin_s!r}")
    steps = trace.steps
    end = steps.settled_s if steps.period_s is None else steps.settled_s + steps.period_s
    edges = bin_s * np.arange(int(np.ceil(end / bin_s - 1e-9)) + 1)
    if steps.period_s is not None:
        edges[-1] = end
    sums = steps.total(edges)
    means = np.diff(sums) / np.diff(edges)
    if steps.period_s is None:
        return Trace(edges, np.append(means, steps.rates_bps[-1]), offset_s=trace.offset_s)
    if steps.settled_s:
        raise ValueError(
            f"bin_s: expected a trace that repeats as a whole, got one that does from {steps.settled_s:g} s on"
        )
    return Trace(edges[:-1], np.maximum(means, 0.0), end, offset_s=trace.offset_s)
