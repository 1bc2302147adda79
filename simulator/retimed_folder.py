"""Fill run folders by re-timing: the metrics of a run that has ended, and the clock of another network."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from network_models import Network
from simulator.building import conditions
from simulator.compute import Compute
from simulator.config import plain
from simulator.drivers.replay import retimed
from simulator.moment import Moment
from simulator.records.folder import TIMELINE, RunFolder, RunFolderError
from simulator.records.links import LinkRecord
from simulator.records.recording import timeline_row, waiting
from simulator.retiming import retimed_many
from simulator.trace import NotReplayable, read_header


def require_new(target: RunFolder) -> None:
    """Refuse a target in which something lies already."""
    if target.path.exists() and (not target.path.is_dir() or any(target.path.iterdir())):
        raise RunFolderError(f"hydra.run.dir: expected a new folder, got {target.path}, which is there already")


def retime(
    source: RunFolder, config: DictConfig, target: RunFolder, pair: tuple[Network, Compute] | None = None
) -> dict[str, Any]:
    """Play the trace of `source` on the network and compute model of `config`; fill `target` and give its summary.

    Everything is read and computed before `target` appears, and it appears whole. What it held before is the caller's
    to have looked at.

    Parameters
    ----------
    pair : optional
        The network and the compute model, where they are made already.

    Raises
    ------
    RunFolderError
        If `source` is not finished or damaged.
    NotReplayable
        If the trace is racy: names the op, the function and the line that tainted it.
    """
    return next(retime_all(source, [config], [target], None if pair is None else [pair]))


def retime_all(
    source: RunFolder,
    configs: Sequence[DictConfig],
    targets: Sequence[RunFolder],
    pairs: Sequence[tuple[Network, Compute]] | None = None,
) -> Iterator[dict[str, Any]]:
    """Do what `retime` does for many networks at once, and give the summaries one by one as the folders appear.

    One network gives what the run would have recorded on it, to the bit; many agree with that to 1e-12 (see
    `retiming`).
    """
    source.require_complete()
    header = read_header(source.trace)
    if header.racy is not None:
        raise NotReplayable(
            f"run: expected a trace that time has not touched, got a racy one ({header.racy}); run it anew with "
            f"network={configs[0].network.name}"
        )
    start, about, summary = time.perf_counter(), source.read_json("manifest"), source.read_json("summary")
    rounds = source.read_table("metrics")["round"].to_pylist()
    networks, computes = zip(*(pairs or made(configs)), strict=True)
    play = [retimed(source.trace, networks[0], computes[0], set(rounds))] if len(configs) == 1 else None
    moments = play or retimed_many(source.trace, networks, computes, set(rounds))
    seconds = (time.perf_counter() - start) / len(configs)
    for config, target, network, compute, marks in zip(configs, targets, networks, computes, moments, strict=True):
        if [t for t, _ in marks] != rounds:
            last = marks[-1][0] if marks else 0
            raise RunFolderError(f"run: expected marks up to round {rounds[-1]} in {source.trace}, got up to {last}")
        yield _fill(source, config, target, Played(network, compute, marks, seconds), about, summary)


def made(configs: Sequence[DictConfig]) -> list[tuple[Network, Compute]]:
    """Make the networks and compute models of configurations, one for all that are equal: its draws are made once."""
    computes: dict[str, Compute] = {}
    pairs = []
    for config in configs:
        network, compute = conditions(config)
        pairs.append((network, computes.setdefault(str(plain(config)["compute"]), compute)))
    return pairs


@dataclass(frozen=True)
class Played:
    """A trace on one network: the moments at its marks, and the real seconds that this took."""

    network: Network
    compute: Compute
    moments: list[tuple[int, Moment]]
    seconds: float


def _fill(
    source: RunFolder,
    config: DictConfig,
    target: RunFolder,
    played: Played,
    about: dict[str, Any],
    summary: dict[str, Any],
) -> dict[str, Any]:
    start, links = time.perf_counter(), LinkRecord(played.network)
    for t, moment in played.moments:
        links.note(t, moment)
    timeline = [timeline_row(t, moment) for t, moment in played.moments]
    draft = RunFolder(target.path.with_name(f".{target.path.name}.{os.getpid()}.part"))
    draft.path.mkdir(parents=True)
    for name in ("metrics.parquet", "trace.jsonl"):
        shutil.copyfile(source.path / name, draft.path / name)
    draft.write_config(plain(config))
    draft.write_table("timeline", timeline, TIMELINE)
    draft.write_columns("links", links.table())
    about = about | {"retimed_from": str(source.path.resolve()), "command": sys.argv}
    draft.write_json("manifest", about | {"compute": played.compute.describe()})
    summary = summary | {"simulated_seconds": played.moments[-1][1].seconds}
    summary |= {"links": links.summary(), "waiting": waiting(timeline[-1]), "gradient_seconds": 0.0}
    summary["wall_seconds"] = played.seconds + time.perf_counter() - start
    draft.write_json("summary", summary)
    if target.path.is_dir():
        shutil.rmtree(target.path)
    draft.path.rename(target.path)
    return summary
