"""``describe network=NAME workers=16 [seed=1] [network.KEY=VALUE ...] [out=FOLDER] [plan=FILE.csv]``.

Figures of merit and a picture. The figures are printed as JSON; those of `topologies.merit` are explained there, and an
infinite rate reads "inf". With `out` the picture is written as NAME.pdf and NAME.png, with `plan` where its nodes and
links lie, as a table (`plan.save_plan`), which `python -m figures topology` draws at the width of a paper.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from network_models.commands.configured import built, parsed
from network_models.links import Links
from network_models.network import Network

_KEYS = {"network": str, "workers": int, "seed": int, "out": str, "plan": str}


def main(arguments: list[str]) -> None:
    """Describe the network that the arguments name, on standard output.

    Raises
    ------
    ValueError
        If an argument is not one of the above, or the network cannot be built.
    """
    given, overrides = parsed(arguments, _KEYS)
    if "network" not in given:
        raise ValueError("network: expected the name of a network or a .yaml file (network=fat_tree), got nothing")
    network = built(given["network"], given.get("workers", 16), overrides, given.get("seed", 1))
    print(json.dumps(described(network, given.get("out"), given.get("plan")), indent=2, allow_nan=False))


def described(network: Network, out: str | None = None, plan: str | None = None) -> dict[str, Any]:
    """Give a network's figures of merit, and draw it into the folder `out`, its plan into `plan`.

    Returns
    -------
    dict
        `network`, `topology`, what `topologies.merit.figures_of_merit` measures, and the `files` written.
    """
    from network_models.topologies.graph import Graph
    from network_models.topologies.merit import figures_of_merit
    from network_models.topologies.star_graph import star_graph

    fabric = network.fabric
    if isinstance(fabric, Links):
        fabric = Graph(star_graph(fabric))
    if not isinstance(fabric, Graph):
        raise ValueError(f"network: expected a star or a graph, got {type(fabric).__name__}")
    topology = fabric.graph.graph.get("topology", "graph")
    figures = {"network": network.name, "topology": topology, **_finite(figures_of_merit(fabric))}
    files: list[Path] = []
    try:
        if plan is not None:
            from network_models.commands.plan import save_plan

            files.append(save_plan(fabric, Path(plan)))
        if out is not None:
            from network_models.commands.drawing import save_picture

            title = f"{network.name}: {_caption(figures)}"
            files += save_picture(fabric, title=title, folder=Path(out), name=network.name)
    except OSError as error:
        raise ValueError(f"out: expected a place to write, got {error.filename!r} ({error.strerror})") from error
    return {**figures, "files": [str(file) for file in files]}


def _caption(figures: dict[str, Any]) -> str:
    counts = [
        f"{figures[what]} {what if figures[what] != 1 else what[:-2] if what == 'switches' else what[:-1]}"
        for what in ("workers", "servers", "switches", "links")
        if figures[what]
    ]
    return ", ".join(counts)


def _finite(value: Any) -> Any:
    """Write infinity as the string that the units read back."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return "inf" if isinstance(value, float) and math.isinf(value) else value
