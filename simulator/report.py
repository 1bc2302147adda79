"""The closing table: what a run reached, what it sent, and where its simulated time went."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from simulator.moment import SPENT
from simulator.progress import duration, size
from simulator.records.folder import RunFolder

_KINDS = (
    ("compute", "gradients"),
    ("encode", "compression"),
    ("uplink", "up, or reducing"),
    ("downlink", "down, or gathering"),
    ("waiting", "for others"),
    ("away", "taken out by faults"),
)


def print_report(folder: RunFolder, summary: dict[str, Any]) -> None:
    """Print the table of one finished run to standard output."""
    config, console = folder.read_config(), Console()
    timeline = folder.read_table("timeline").to_pylist()[-1]
    mean = {kind: float(np.mean(timeline[f"{kind}_s"])) for kind in SPENT}
    whole = sum(mean[kind] for kind, _ in _KINDS) or 1.0
    names = [config[group]["name"] for group in ("algorithm", "network")]
    title = f"{names[0]} on {names[1]}, {config['workers']} workers, {config['rounds']} rounds"
    table = Table(title=title, title_justify="left")
    table.add_column("simulated time, mean worker")
    table.add_column("", justify="right")
    table.add_column("share", justify="right")
    table.add_column("bandwidth / latency / queue", justify="right")
    for kind, meaning in _KINDS:
        if kind == "away" and not mean[kind]:
            continue
        split = ""
        if kind in ("uplink", "downlink"):
            latency, queue = mean[f"{kind}_latency"], mean[f"{kind}_queue"]
            split = " / ".join(map(duration, (max(mean[kind] - latency - queue, 0.0), latency, queue)))
        table.add_row(f"{kind} ({meaning})", duration(mean[kind]), f"{mean[kind] / whole:.1%}", split)
    console.print(table)
    accuracy = "" if summary["final_accuracy"] is None else f"accuracy {summary['final_accuracy']:.2%}, "
    text = [f", {name} {summary[key]:.4g}" for name in ("perplexity", "bleu") if (key := f"final_{name}") in summary]
    console.print(
        f"{accuracy}loss {summary['final_loss']:.4g}{''.join(text)}; "
        f"simulated {duration(summary['simulated_seconds'])}; "
        f"up {size(summary['uplink_wire_bytes'])}, down {size(summary['downlink_wire_bytes'])}; "
        f"real {duration(summary['wall_seconds'])}, of it gradients {duration(summary['gradient_seconds'])}",
        highlight=False,
    )
    if summary.get("links"):
        busiest = ", ".join(f"{link} {used:.1%}" for link, used in list(summary["links"]["busiest"].items())[:3])
        mean_used = f"{summary['links']['mean_utilisation']:.1%}"
        console.print(f"links used {mean_used} of their capacity; the busiest: {busiest or 'none'}", highlight=False)
    if "faults" in summary:
        console.print(f"faults: {troubles(summary['faults'])}", highlight=False)
    for line in summary.get("fallbacks", ()):
        console.print(f"not as asked for: {line}", highlight=False)
    if summary["racy"]:
        console.print(f"racy: {summary['racy_because']}; ties {summary['ties']}; run it anew for another network")
    console.print(f"digest {summary['digest'][:16]} in {folder.path}", highlight=False, soft_wrap=True)


def troubles(counts: dict[str, float]) -> str:
    """Say what went wrong, leaving out what did not."""
    said = [f"{value:g} {kind.replace('_', ' ')}" for kind, value in counts.items() if value and kind[-2:] != "_s"]
    return ", ".join(said + [f"{duration(counts['absent_s'])} absent in all"]) if said else "none"
