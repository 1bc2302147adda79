"""``flows scenario.json``: how long flows take that share links, each from its start to its last bit.

The scenario (a file, or ``-`` for standard input) is JSON: `nodes` with `name`, `up_bps`, `down_bps` and `latency_s`
(one way, of the node's own link around a switch that never limits; a path costs both ends' latencies), `flows` with
`from`, `to`, `bytes` and `start_s` (0 if left out), and `transport` (`ideal` if left out). With `links`, each with
`from`, `to`, `bps`, `latency_s` and perhaps `half_duplex`, the nodes hang on those instead, and names that are no nodes
are switches. A `name` of anything, and the `duration_s` of a scenario that is compared with, are passed over.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import simpy

from network_models.network import Network
from network_models.star import star
from network_models.units import rate_bps, seconds, size_bytes

_KEYS = {
    "nodes": ("name", "up_bps", "down_bps", "latency_s"),
    "flows": ("name", "from", "to", "bytes", "start_s"),
    "links": ("name", "from", "to", "bps", "latency_s", "half_duplex"),
}
_SCENARIO = ("name", *_KEYS, "transport", "duration_s")
_LATEST_S = 1e9  # after the first flow; the clock still tells 1e-7 s there


def main(arguments: list[str]) -> None:
    """Print the durations of the flows of the scenario that the argument names.

    Raises
    ------
    ValueError
        If the scenario is none, naming what is wrong with it.
    """
    if len(arguments) != 1:
        raise ValueError(f"flows: expected one file, or - for standard input, got {len(arguments)} arguments")
    try:
        text = sys.stdin.read() if arguments[0] == "-" else Path(arguments[0]).read_text(encoding="utf-8")
        scenario = json.loads(text)
    except OSError as error:
        raise ValueError(f"flows: expected a file, got {arguments[0]!r} ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"flows: expected JSON in {arguments[0]!r}: {error}") from error
    print(json.dumps({"duration_s": durations(scenario)}))


def durations(scenario: Mapping[str, Any]) -> list[float]:
    """Time flows that share links.

    Parameters
    ----------
    scenario : mapping
        See the module's docstring.

    Returns
    -------
    list of float
        Seconds from the start of each flow to its last bit; flows of one pair may overtake one another.

    Raises
    ------
    ValueError
        If a key is missing or unknown, a value is out of range, a node is unknown, or there is no way, naming it.
    """
    nodes = _entries(scenario, "nodes")
    _known_keys(scenario, _SCENARIO, "")
    names = [_text(node, "name", f"nodes[{place}]") for place, node in enumerate(nodes)]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ValueError(f"nodes[{place}].name: expected another name than the nodes before, got {name!r}")
    transport = scenario.get("transport", "ideal")
    if "links" in scenario:
        network = _graph(names, _entries(scenario, "links"), transport)
    else:
        network = _star(nodes, transport)
    known = {name: place for place, name in enumerate(names)}
    posts = [_post(flow, f"flows[{place}]", known) for place, flow in enumerate(_entries(scenario, "flows"))]
    first = min((start for *_, start in posts), default=0.0)
    for place, (*_, start) in enumerate(posts):
        if start - first > _LATEST_S:
            raise ValueError(f"flows[{place}].start_s: expected at most {_LATEST_S:g} s after the first, got {start:g}")
    return _played(network, [(source, to, size, start - first) for source, to, size, start in posts])


def _played(network: Network, posts: list[tuple[int, int, float, float]]) -> list[float]:
    """Post every flow at its start, and wait for all; each is (source, destination, bytes, start)."""
    env = simpy.Environment()
    fluid, took = network.fluid(env), [0.0] * len(posts)

    def post(place: int) -> None:
        source, destination, size, _ = posts[place]
        fluid.transfer(source, destination, size).callbacks.append(lambda event: note(place, event))

    def note(place: int, event: simpy.Event) -> None:
        record: Any = event.value
        took[place] = record.drained_s - record.start_s

    for place, (*_, start) in enumerate(posts):
        env.timeout(start, place).callbacks.append(lambda event: post(event.value))
    env.run()
    return took


def _star(nodes: list[Mapping[str, Any]], transport: Any) -> Network:
    def column(key: str, read: Callable[[object, str], float]) -> list[float]:
        return [read(_value(node, key, f"nodes[{at}]"), f"nodes[{at}].{key}") for at, node in enumerate(nodes)]

    up, down, latency = column("up_bps", rate_bps), column("down_bps", rate_bps), column("latency_s", seconds)
    return star(len(nodes), up, down, latency, transport=transport)


def _graph(names: list[str], links: list[Mapping[str, Any]], transport: Any) -> Network:
    import networkx as nx

    from network_models.topologies.graph import Graph

    graph = nx.Graph()
    graph.add_nodes_from((name, {"kind": "worker", "rank": place}) for place, name in enumerate(names))
    for place, link in enumerate(links):
        at = f"links[{place}]"
        ends = _text(link, "from", at), _text(link, "to", at)
        if ends[0] == ends[1]:
            raise ValueError(f"{at}.to: expected another node than from, got {ends[1]!r} for both")
        if graph.has_edge(*ends):
            raise ValueError(f"{at}: expected one link between {ends[0]} and {ends[1]}, got another")
        bps, latency = rate_bps(_value(link, "bps", at), f"{at}.bps"), link.get("latency_s", 0.0)
        half = link.get("half_duplex", False)
        if not isinstance(half, bool):
            raise ValueError(f"{at}.half_duplex: expected true or false, got {half!r}")
        graph.add_edge(*ends, bps=bps, latency_s=seconds(latency, f"{at}.latency_s"), half_duplex=half)
    return Network(Graph(graph), transport)


def _post(flow: Mapping[str, Any], at: str, known: Mapping[str, int]) -> tuple[int, int, float, float]:
    ends = []
    for key in ("from", "to"):
        name = _value(flow, key, at)
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"{at}.{key}: expected one of the nodes {', '.join(known)}, got {name!r}")
        ends.append(known[name])
    if ends[0] == ends[1]:
        raise ValueError(f"{at}.to: expected another node than the source, got {flow['to']!r} for both")
    size = size_bytes(_value(flow, "bytes", at), f"{at}.bytes")
    start = seconds(flow.get("start_s", 0.0), f"{at}.start_s")
    return ends[0], ends[1], size, start


def _entries(scenario: Any, key: str) -> list[Mapping[str, Any]]:
    if not isinstance(scenario, Mapping) or not isinstance(scenario.get(key), list):
        raise ValueError(f"{key}: expected a list of them in the scenario, got {_shown(scenario, key)}")
    for place, entry in enumerate(scenario[key]):
        if not isinstance(entry, Mapping):
            raise ValueError(f"{key}[{place}]: expected an object, got {entry!r}")
        _known_keys(entry, _KEYS[key], f"{key}[{place}].")
    if key == "nodes" and not scenario[key]:
        raise ValueError("nodes: expected at least one, got none")
    return list(scenario[key])


def _shown(scenario: Any, key: str) -> str:
    if not isinstance(scenario, Mapping):
        return f"a scenario that is a {type(scenario).__name__}"
    return repr(scenario[key]) if key in scenario else "nothing"


def _known_keys(entry: Mapping[str, Any], known: Collection[str], at: str) -> None:
    for key in entry:
        if key not in known:
            raise ValueError(f"{at}{key}: expected one of {', '.join(known)}, got {key!r}")


def _text(entry: Mapping[str, Any], key: str, at: str) -> str:
    text = _value(entry, key, at)
    if not isinstance(text, str):
        raise ValueError(f"{at}.{key}: expected a string, got {text!r}")
    return text


def _value(entry: Mapping[str, Any], key: str, at: str) -> Any:
    if key not in entry:
        raise ValueError(f"{at}.{key}: expected a value, got nothing (it has {', '.join(entry) or 'no keys'})")
    return entry[key]
