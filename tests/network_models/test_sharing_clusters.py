"""Flows that come and go on any links, and links that change: the fast engine against solving all anew."""

from collections.abc import Callable
from functools import partial
from random import Random

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network_models.sharing import Clusters, Flow, MaxMinSharing, Sharing
from network_models.sharing.filling import fill
from network_models.sharing.web import Web

Post = tuple[float, tuple[int, ...], float, float]  # start, route, bits, cap
Change = tuple[float, dict[int, float]]


def ends(sharing: Sharing, posts: list[Post], changes: list[Change] = ()) -> dict[int, float]:
    """Play flows and changes of capacity; the time at which each flow ends."""
    todo: list[tuple[float, int, list[Flow] | dict[int, float]]] = []
    for time in sorted({post[0] for post in posts}):
        starting = [Flow(i, post[1], post[2], post[3]) for i, post in enumerate(posts) if post[0] == time]
        todo.append((time, 1, starting))
    todo += [(time, 0, capacity) for time, capacity in changes]
    todo.sort(key=lambda item: item[:2], reverse=True)
    finish: dict[int, float] = {}
    while True:
        time = min(todo[-1][0] if todo else float("inf"), sharing.next_finish())
        if time == float("inf"):
            return finish
        for flow in sharing.finish(time):
            assert flow.sequence not in finish
            finish[flow.sequence] = time
        while todo and todo[-1][0] == time:
            what = todo.pop()[2]
            if isinstance(what, dict):
                sharing.recapacitate(time, what)
            else:
                sharing.start(time, what)


def agree(capacity: list[float], posts: list[Post], changes: list[Change] = (), hot: tuple[int, ...] = ()) -> None:
    fast, slow = ends(Clusters(capacity, hot), posts, changes), ends(MaxMinSharing(capacity), posts, changes)
    assert fast.keys() == slow.keys()
    assert [fast[i] for i in sorted(fast)] == pytest.approx([slow[i] for i in sorted(slow)], rel=1e-9)


LINKS = 7
POSTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0]) | st.floats(0, 3),
        st.lists(st.integers(0, LINKS - 1), min_size=1, max_size=4, unique=True).map(tuple),
        st.sampled_from([1.0, 6.0]) | st.floats(0.1, 20),
        st.sampled_from([1.0, float("inf")]) | st.floats(0.1, 10),
    ),
    min_size=1,
    max_size=25,
)
CAPACITY = st.sampled_from([2.0, 5.0]) | st.floats(0.5, 20)
# at times when nothing else happens: what a link carries up to the very moment at which it stops is not at issue
CHANGES = st.lists(
    st.tuples(
        st.integers(1, 40).map(lambda k: 0.1370621 * k),
        st.dictionaries(st.integers(0, LINKS - 1), st.just(0.0) | CAPACITY, min_size=1, max_size=3),
    ),
    max_size=6,
    unique_by=lambda change: change[0],
)


@given(st.lists(CAPACITY, min_size=LINKS, max_size=LINKS), POSTS)
@settings(max_examples=120, deadline=None)
def test_any_routes(capacity: list[float], posts: list[Post]) -> None:
    agree(capacity, posts, hot=(0,))


@given(st.lists(CAPACITY, min_size=LINKS, max_size=LINKS), POSTS, CHANGES)
@settings(max_examples=120, deadline=None)
def test_capacities_that_change_and_stand_still(
    capacity: list[float], posts: list[Post], changes: list[Change]
) -> None:
    agree(capacity, posts, changes)


def random_graph(seed: int, nodes: int = 14) -> tuple[list[float], Callable[[int, int], tuple[int, ...]]]:
    """A connected graph with a capacity for each direction of each edge, and its shortest routes."""
    random = Random(seed)
    graph = nx.connected_watts_strogatz_graph(nodes, 4, 0.4, seed=seed)
    number = {edge: i for i, edge in enumerate(edge for u, v in graph.edges for edge in ((u, v), (v, u)))}
    paths = dict(nx.all_pairs_shortest_path(graph))
    capacity = [random.choice([10.0, 25.0, random.uniform(5, 50)]) for _ in number]
    return capacity, lambda a, b: tuple(number[hop] for hop in zip(paths[a][b], paths[a][b][1:], strict=False))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("one_by_one", [1, 1000], ids=["rounds", "heap"])
def test_routes_of_random_graphs(seed: int, one_by_one: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("network_models.sharing.web.fill", partial(fill, one_by_one=one_by_one))
    capacity, route = random_graph(seed)
    random = Random(seed)
    posts: list[Post] = []
    for _ in range(150):  # few sizes and pairs, so that flows are alike and end together
        a, b = random.sample(range(14), 2)
        cap = random.choice([float("inf"), float("inf"), 2.0, random.uniform(0.5, 9)])
        start, bits = random.choice([0.0, 0.5, random.uniform(0, 8)]), random.choice([5.0, 20.0, 33.3])
        posts.append((start, route(a, b), bits, cap))
    changes = [(0.777 + 0.9131 * k, {random.randrange(len(capacity)): random.uniform(1, 60)}) for k in range(8)]
    agree(capacity, posts, changes)


def test_a_web_by_hand() -> None:
    # Links of 10 and 6 bit/s. Flow 0 uses both, 1 the first, 2 the second, which gives 3 to each: 1 gets 7 and ends at
    # 20/7 s. At 3 s flow 2 ends (9 bits), and flow 0 has 12 - 9 = 3 bits left, at 6 bit/s.
    posts = [(0.0, (0, 1), 12.0, float("inf")), (0.0, (0,), 20.0, float("inf")), (0.0, (1,), 9.0, float("inf"))]
    assert ends(Clusters([10.0, 6.0]), posts) == pytest.approx({0: 3.5, 1: 20 / 7, 2: 3.0}, rel=1e-15)


def test_a_link_that_stands_still_holds_its_flows() -> None:
    posts = [(0.0, (0, 1), 10.0, float("inf")), (0.0, (0,), 10.0, float("inf"))]
    # 0..1: 5 each, 5 left; 1..3: link 1 stands still, flow 1 gets 10 and ends at 1.5; from 3 on flow 0 has 2: 5.5.
    changes: list[Change] = [(1.0, {1: 0.0}), (3.0, {1: 2.0})]
    for engine in (Clusters([10.0, 8.0]), MaxMinSharing([10.0, 8.0])):
        assert ends(engine, posts, changes) == pytest.approx({0: 5.5, 1: 1.5}, rel=1e-15)
    assert ends(Clusters([10.0, 8.0]), posts, changes[:1]) == {1: 1.5}


def test_alike_flows_are_one_group() -> None:
    web = Web([10.0, 10.0, 10.0])
    for i in range(500):
        web.add(0.0, Flow(i, (0, 1), 1.0 + i % 2))
    web.add(0.0, Flow(500, (1, 2), 1.0))
    assert len(web._keys) == 2 and web.flows == 501
    assert web.next_finish() == pytest.approx(501 / 10, rel=1e-12)  # 1 bit at 10/501 each
    assert len(web.finish(web.next_finish())) == 251


def test_a_web_that_falls_apart_becomes_clusters_of_their_own() -> None:
    # Two stars of three flows each, joined by a flow that ends first.
    infinite = float("inf")
    posts = [*((0.0, (0, i), 30.0, infinite) for i in (2, 3, 4)), *((0.0, (1, i), 40.0, infinite) for i in (5, 6, 7))]
    sharing = Clusters([12.0] * 8)
    sharing.start(0.0, [Flow(i, *post[1:]) for i, post in enumerate(posts)] + [Flow(9, (0, 1), 3.0)])
    assert len({id(cluster) for cluster in sharing._of.values()}) == 1
    assert [flow.sequence for flow in sharing.finish(sharing.next_finish())] == [9]
    clusters = {id(cluster): cluster for cluster in sharing._of.values()}
    assert [type(cluster).__name__ for cluster in clusters.values()] == ["_Star", "_Star"]
    # 3 bits at 12/4 take 1 s; then 27 bits at 4 and 37 bits at 4.
    assert sharing.next_finish() == pytest.approx(1 + 27 / 4) and len(sharing.finish(sharing.next_finish())) == 3
    assert sharing.next_finish() == pytest.approx(1 + 37 / 4)


def test_an_event_solves_only_what_can_feel_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # A row of links of rising capacity; flow 2 i is alone on link i, flow 2 i + 1 joins links i and i + 1. What happens
    # at the wide end is not felt at the narrow one.
    solved: list[int] = []

    def watched(ways, *rest):  # type: ignore[no-untyped-def]
        solved.append(len(ways))
        return fill(ways, *rest)

    monkeypatch.setattr("network_models.sharing.web.fill", watched)
    links = 40
    web = Web([10.0 * 3.0**i for i in range(links)])
    for i in range(links):
        web.add(0.0, Flow(2 * i, (i,), 1e30))
        if i + 1 < links:
            web.add(0.0, Flow(2 * i + 1, (i, i + 1), 1e30))
    web.next_finish()
    web.add(1.0, Flow(1000, (links - 1, links - 2), 1.0))
    web.next_finish()
    groups = 2 * links
    assert solved == [groups - 1, 4]  # flows 76, 77 and 78 and the new one
    anew = fill(web._ways[:groups], web._counts[:groups], web._caps[:groups], web._limits[: links + 1])
    assert web._rates[:groups] == pytest.approx(anew, rel=1e-12)
