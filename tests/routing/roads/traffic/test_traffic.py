"""Traffic: slots, classes, zones, edges, weather; every state exact, swapped whole, told by version and digest."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra

from routing.roads import EdgeFactors, RoadNetwork, SpeedRule, TrafficTable
from routing.roads.errors import InvalidSpeed, InvalidTraffic, OutsideTraffic, UnknownProfile
from routing.roads.hierarchy.metric import NO_WAY_MS
from tests.kit.roads.drawing import SOUTH, WEST, Drawn, draw
from tests.kit.roads.graphs import Graph, graphs, random_city
from tests.kit.roads.town import MAIN_S, SIDE_S, TOWN


def exact(network: RoadNetwork, at: int | None = None) -> None:
    """Every pair of nodes equals Dijkstra over the state's own graph."""
    every = np.arange(network.streets.nodes)
    found = dijkstra(network.as_csr("car", at)[0])
    wanted = np.where(np.isinf(found), NO_WAY_MS, found).astype(np.int64)
    np.testing.assert_array_equal(network.travel_ms(every, every, profile="car", at=at), wanted)


@given(graphs(), st.lists(st.tuples(st.integers(0, 40), st.sampled_from([0.1, 0.5, 0.9, 1.7])), max_size=6))
def test_every_update_is_exact(graph: Graph, changes: list[tuple[int, float]]) -> None:
    network = graph.network()
    exact(network)
    once = {edge % len(graph.tail): factor for edge, factor in changes if graph.tail}
    network.update_speeds([SpeedRule(factor, edges=(edge,)) for edge, factor in once.items()])
    exact(network)
    network.update_speeds([])
    exact(network)
    assert network.version == 3


def test_classes_zones_edges_and_profiles(town: Drawn) -> None:
    network = town.network
    assert town.seconds("A", "C") == pytest.approx(2 * MAIN_S)
    network.update_speeds([SpeedRule(0.5, classes=("primary",))])
    assert town.seconds("A", "C") == pytest.approx(4 * MAIN_S)
    assert town.seconds("D", "A") == pytest.approx(SIDE_S)
    # A zone around A and B: every edge that it touches, so B-C as well.
    south = SOUTH - 0.0004
    zone = (
        (SOUTH + 0.001, WEST - 0.001),
        (SOUTH + 0.001, WEST + 0.0018),
        (south, WEST + 0.0018),
        (south, WEST - 0.001),
    )
    network.update_speeds([SpeedRule(0.5, zone=zone)])
    assert town.seconds("A", "C") == pytest.approx(4 * MAIN_S)
    assert town.seconds("D", "A") == pytest.approx(2 * SIDE_S)
    assert town.seconds("E", "F") == pytest.approx(MAIN_S)
    network.update_speeds([SpeedRule(0.5, profiles=("bike",))])
    assert town.seconds("A", "C") == pytest.approx(2 * MAIN_S)
    assert town.seconds("A", "C", "bike") == pytest.approx(2 * 200 / 17 * 3.6, abs=0.01)
    # Rules multiply; `keep` adds to what was reported.
    network.update_speeds([SpeedRule(0.5)])
    network.update_speeds([SpeedRule(0.5)], keep=True)
    assert town.seconds("A", "B") == pytest.approx(4 * MAIN_S)


def test_a_jam_makes_the_way_around_the_fastest(town: Drawn) -> None:
    network = town.network
    # A to F: A-B-C-F 22.5 s; over D and E 2 x 14.4 + 7.5 = 36.3 s.
    assert town.seconds("A", "F") == pytest.approx(3 * MAIN_S)
    network.update_speeds([SpeedRule(0.1, edges=(int(np.flatnonzero(network.streets.name == 1)[0]),))])
    jammed = network.streets.names[1]
    path = network.path(town.at("A"), town.at("F"), profile="car")
    assert jammed not in path.streets
    assert path.seconds == pytest.approx(2 * SIDE_S + MAIN_S)


def test_slots(town: Drawn) -> None:
    network = town.network
    free, rush = (), (SpeedRule(0.5, classes=("primary",)),)
    network.set_traffic(TrafficTable(starts_at=1000, slot_s=300, rules=(free, rush, free)))
    seconds = [town.seconds("A", "B", at=at) for at in (1000, 1299, 1300, 1599, 1600, 1899)]
    assert seconds == pytest.approx([MAIN_S, MAIN_S, 2 * MAIN_S, 2 * MAIN_S, MAIN_S, MAIN_S])
    for at in (999, 1900):
        with pytest.raises(OutsideTraffic, match=str(at)):
            town.seconds("A", "B", at=at)
    for at in (1000, 1300):
        exact(network, at)
    # Without a time no slot holds.
    assert town.seconds("A", "B") == pytest.approx(MAIN_S)


def test_the_next_slot_is_prepared_in_the_background(town: Drawn) -> None:
    network = town.network
    rush = (SpeedRule(0.5),)
    network.set_traffic(TrafficTable(0, 300, ((), rush, rush)))
    town.seconds("A", "B", at=10)
    assert not network.state.is_ready("car", 310)
    begun = network.prepare_next(10, ("car",))
    assert begun is not None
    begun.result(timeout=60)
    assert network.state.is_ready("car", 310)
    assert network.state.is_ready("car", 10)
    # Slot 2 has the rules of slot 1, and after the last there is none.
    assert network.prepare_next(310, ("car",)) is None
    assert network.prepare_next(610, ("car",)) is None
    # What is prepared is no question: a new state is made ready for the slot that was asked for.
    network.update_speeds([SpeedRule(0.9)])
    assert network.state.is_ready("car", 10)
    assert not network.state.is_ready("car", 310)


def test_no_more_than_two_slots_are_kept(town: Drawn) -> None:
    network = town.network
    network.set_traffic(TrafficTable(0, 300, tuple((SpeedRule(factor),) for factor in (0.5, 0.6, 0.7, 0.8))))
    for at in (0, 300, 600, 900):
        town.seconds("A", "B", at=at)
    assert [network.state.is_ready("car", at) for at in (0, 300, 600, 900)] == [False, False, True, True]


def test_the_daily_table_repeats(town: Drawn) -> None:
    rules = [()] * 24
    rules[8] = (SpeedRule(0.5),)
    town.network.set_traffic(TrafficTable(0, 3600, tuple(rules), daily=True))
    day = 20_000 * 86_400
    assert town.seconds("A", "B", at=day + 8 * 3600) == pytest.approx(2 * MAIN_S)
    assert town.seconds("A", "B", at=day + 9 * 3600) == pytest.approx(MAIN_S)


def test_first_in_first_out(town: Drawn) -> None:
    network = town.network
    assert network.fifo_violation_s("car") == 0.0
    slow = (SpeedRule(0.5, classes=("primary",)),)
    network.set_traffic(TrafficTable(0, 300, ((), slow, slow)))
    # Only slower from slot to slot: leaving later never helps.
    assert network.fifo_violation_s("car") == 0.0
    network.set_traffic(TrafficTable(0, 300, (slow, ())))
    # The farthest gain: C to D, 15 + 14.4 + ... the fastest slow way against the fastest free one.
    every = np.arange(network.streets.nodes)
    gain = network.travel_ms(every, every, profile="car", at=0) - network.travel_ms(every, every, profile="car", at=300)
    assert gain.max() > 0
    assert network.fifo_violation_s("car") == gain.max() / 1000


def test_weather_per_profile_and_class(town: Drawn) -> None:
    network = town.network
    dry = {profile: town.seconds("A", "D", profile) for profile in ("car", "bike", "foot")}
    network.set_weather("rain")
    factors = network.notes["weather"]["rain"]
    assert town.seconds("A", "D", "bike") == pytest.approx(dry["bike"] / factors["bike"], abs=0.01)
    # A residential lane is among the "other" classes of cars.
    assert town.seconds("A", "D", "car") == pytest.approx(dry["car"] / factors["car"]["other"], abs=0.01)
    exact(network)
    network.set_weather("")
    assert town.seconds("A", "D", "car") == dry["car"]
    with pytest.raises(InvalidTraffic, match="frogs"):
        network.set_weather("frogs")


def test_version_and_digest(town: Drawn) -> None:
    network = town.network
    first = network.digest
    assert network.version == 1
    assert network.update_speeds([SpeedRule(0.5)]) == 2 == network.version
    assert network.digest != first
    assert network.update_speeds([]) == 3
    assert network.digest == first
    assert draw(TOWN).network.digest == first
    assert draw(TOWN, main="secondary").network.digest != first


def test_a_twin_has_its_own_traffic(town: Drawn) -> None:
    truth = town.network.twin()
    truth.update_speeds([SpeedRule(0.5)])
    node = [town.node["A"]], [town.node["B"]]
    assert truth.travel_ms(*node, profile="car")[0, 0] == 2 * town.network.travel_ms(*node, profile="car")[0, 0]
    assert town.network.version == 1


@given(graphs(), st.integers(0, 2**32 - 1))
def test_a_factor_for_every_edge_is_exact(graph: Graph, seed: int) -> None:
    network = graph.network()
    factors = np.random.default_rng(seed).uniform(0.2, 2.0, len(graph.tail))
    network.update_speeds([EdgeFactors(factors)])
    exact(network)
    digest = network.digest
    network.update_speeds([EdgeFactors(factors * 1.01)])
    assert graph.tail == [] or network.digest != digest
    network.update_speeds([EdgeFactors(factors, ("car",)), SpeedRule(0.5)])
    exact(network)


def test_factors_of_edges_are_checked(town: Drawn) -> None:
    edges = town.network.streets.edges
    with pytest.raises(InvalidTraffic, match="entries"):
        town.network.update_speeds([EdgeFactors(np.ones(edges + 1))])
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        factors = np.ones(edges)
        factors[3] = wrong
        with pytest.raises(InvalidSpeed) as caught:
            town.network.update_speeds([EdgeFactors(factors)])
        assert caught.value.details["edge"] == 3
    assert town.network.version == 1


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_factors_above_zero_only(town: Drawn, factor: float) -> None:
    with pytest.raises(InvalidSpeed, match=r"rules\[1\]"):
        town.network.update_speeds([SpeedRule(1.0), SpeedRule(factor)])
    assert town.network.version == 1


def test_a_factor_that_stops_all_traffic(town: Drawn) -> None:
    town.seconds("A", "B")
    with pytest.raises(InvalidSpeed, match="hours") as caught:
        town.network.update_speeds([SpeedRule(1e-5, edges=(2,))])
    assert caught.value.details == {"profile": "car", "edge": 2}
    assert town.network.version == 1


def test_rules_about_things_not_there(town: Drawn) -> None:
    for rule, error in (
        (SpeedRule(1.0, classes=("canal",)), InvalidTraffic),
        (SpeedRule(1.0, edges=(99,)), InvalidTraffic),
        (SpeedRule(1.0, edges=(-1,)), InvalidTraffic),
        (SpeedRule(1.0, ways=(7,)), InvalidTraffic),
        (SpeedRule(1.0, profiles=("rocket",)), UnknownProfile),
    ):
        with pytest.raises(error):
            town.network.update_speeds([rule])


def test_readers_always_see_one_whole_state() -> None:
    """Readers ask for a table again and again while speeds change; each answer must be that of one state."""
    graph = random_city(5, side=14)
    network = graph.network()
    rng = np.random.default_rng(0)
    some, others = rng.integers(0, graph.nodes, 60), rng.integers(0, graph.nodes, 60)
    factors = [1.0, 0.5, 0.8, 1.6]
    allowed = set()
    for factor in factors:
        network.update_speeds([SpeedRule(factor)])
        allowed.add(network.travel_ms(some, others, profile="car").tobytes())
    assert len(allowed) == len(factors)
    seen: list[bytes] = []
    wrong: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                seen.append(network.travel_ms(some, others, profile="car").tobytes())
        except BaseException as error:
            wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(60):
        network.update_speeds([SpeedRule(factors[turn % len(factors)])])
    stop.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert len(seen) >= 3
    assert set(seen) <= allowed


def test_labels_filled_by_many_threads_at_once() -> None:
    graph = random_city(6, side=14)
    every = np.arange(graph.nodes)
    wanted = graph.network().travel_ms(every, every, profile="car")
    network = graph.network()
    answers: dict[int, np.ndarray] = {}

    def ask(part: int) -> None:
        answers[part] = network.travel_ms(every[part::4], every, profile="car")

    threads = [threading.Thread(target=ask, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for part in range(4):
        np.testing.assert_array_equal(answers[part], wanted[part::4])
