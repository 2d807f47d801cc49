"""Speeds of the running hour: known where riders are slow, bounded, fading, and silent elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.roads.drives import Drive
from routing.roads import LiveSpeeds, RoadNetwork, SpeedRule, TrafficNews
from routing.roads.errors import InvalidTraffic
from routing.roads.traces.live import FADES_S, FASTEST, SLOWEST, LiveWatch
from routing.roads.traces.spreading import CELL_M, SPREAD_M, Surroundings
from tests.kit.roads.streetmap import StreetMap

MAP = StreetMap(
    "\n".join(["A B C D E F G", "H I J K L M N"]),
    [(letters, {"highway": "residential"}) for letters in ("ABC", "CDE", "EFG", "HIJ", "JKL", "LMN", "AH")],
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    return RoadNetwork.from_osm(MAP.write(tmp_path_factory.mktemp("map") / "a.osm"), profiles=("car",))


def watched(city: RoadNetwork, factor: float, riders: int, *, profile: str = "rider") -> LiveWatch:
    """Riders who have driven A to G at `factor` of the speed, ending at second 600."""
    truth = city.twin()
    truth.update_speeds([SpeedRule(factor)])
    drive = Drive(truth, MAP.at("A-B:5"), MAP.at("F-G:95"), "car")
    watch = LiveWatch({"rider": "car"})
    for k in range(riders):
        random = np.random.default_rng(k)
        seen = drive.seen(str(k), 600 - drive.seconds, every_s=5, error_m=4, random=random)
        for at, lat, lng in zip(seen.at, seen.lat, seen.lng, strict=True):
            watch.see(str(k), profile, lat, lng, at)
    return watch


def believed(city: RoadNetwork, live: tuple[LiveSpeeds, ...], here: str, there: str) -> float:
    """Times of the way as a share of the undisturbed one."""
    network = city.twin(TrafficNews(live=live).conditions(city))
    ends = MAP.at(here), MAP.at(there)
    return city.path(*ends, profile="car").seconds / network.path(*ends, profile="car").seconds


def test_a_slow_street_is_known_in_the_direction_driven(city: RoadNetwork) -> None:
    live = watched(city, 0.5, 8).speeds(city, 600)
    assert believed(city, live, "A-B:10", "F-G:90") == pytest.approx(0.55, abs=0.07)
    assert believed(city, live, "F-G:90", "A-B:10") == 1.0
    assert believed(city, live, "H-I:10", "M-N:90") == 1.0


def test_one_rider_says_less_than_many(city: RoadNetwork) -> None:
    shares = [believed(city, watched(city, 0.4, n).speeds(city, 600), "A-B:10", "F-G:90") for n in (1, 3, 12)]
    assert 1.0 > shares[0] > shares[1] > shares[2] > 0.38


def test_it_fades_within_the_hour(city: RoadNetwork) -> None:
    watch = watched(city, 0.4, 6)
    shares = [
        believed(city, watch.speeds(city, 600 + after), "A-B:10", "F-G:90") for after in (0, 300, 600, FADES_S + 60)
    ]
    assert shares[0] < shares[1] < shares[2] < shares[3] == 1.0
    assert watch.speeds(city, 600 + FADES_S + 60) == ()


@pytest.mark.parametrize(("true", "bound"), [(0.05, SLOWEST), (4.0, FASTEST)])
def test_it_is_bounded(city: RoadNetwork, true: float, bound: float) -> None:
    (live,) = watched(city, true, 40).speeds(city, 600)
    assert all(SLOWEST <= factor <= FASTEST for factor in live.factor)
    assert min(live.factor, key=lambda factor: abs(factor - bound)) == pytest.approx(bound, abs=0.1)


def test_who_stands_or_drives_by_nothing_known_says_nothing(city: RoadNetwork) -> None:
    watch = LiveWatch({"rider": "car"})
    for k in range(100):
        watch.see("r", "rider", *MAP.at("A-B:50"), 6 * k)
    assert watch.speeds(city, 600) == ()
    assert watched(city, 0.4, 6, profile="drone").speeds(city, 600) == ()


def test_a_stop_divides_trips(city: RoadNetwork) -> None:
    """Two positions beside a stop at which somebody was served for a minute are no slow street."""
    watch = LiveWatch({"rider": "car"})
    watch.see("r", "rider", *MAP.at("B"), 0)
    watch.stop("r")
    watch.see("r", "rider", *MAP.at("C"), 60)
    assert watch.speeds(city, 60) == ()


def test_what_is_seen_minute_by_minute_is_one_trip(city: RoadNetwork) -> None:
    whole, parts = watched(city, 0.5, 1), watched(city, 0.5, 0)
    (name, seen) = whole._under_way["0"]
    for k, (lat, lng, at) in enumerate(seen):
        parts.see("0", name, lat, lng, at)
        if k % 4 == 3:
            parts.speeds(city, int(at) + 1)
    share = believed(city, parts.speeds(city, 600), "A-B:10", "F-G:90")
    assert share == pytest.approx(believed(city, whole.speeds(city, 600), "A-B:10", "F-G:90"), abs=0.08)


MAIN = StreetMap(
    "\n".join(["A B C D E F G", "H I J K L M N"]),
    [("ABCDEFG", {"highway": "secondary"}), ("HIJKLMN", {"highway": "tertiary"}), ("AH", {"highway": "residential"}),
     ("DK", {"highway": "secondary"}), ("GN", {"highway": "residential"})],
)  # fmt: skip


def test_main_streets_around_are_believed_slower_too(tmp_path: Path) -> None:
    city = RoadNetwork.from_osm(MAIN.write(tmp_path / "a.osm"), profiles=("car",))
    live = watched(city, 0.4, 8).speeds(city, 600)
    slow = [believed(city, live, *ends) for ends in (("A-B:10", "F-G:90"), ("H-I:10", "M-N:90"), ("D", "K"))]
    # The street itself, the next one that leads the same way, and one across; against them nothing is known.
    assert 0.38 < slow[0] < slow[1] < slow[2] < 0.95
    assert believed(city, live, "M-N:90", "H-I:10") == pytest.approx(1.0, abs=0.06)
    told = {(live[0].code[k] >> 1, live[0].code[k] & 1): live[0].factor[k] for k in range(len(live[0].code))}
    minor = {e for e in range(city.streets.edges) if city.streets.classes[city.streets.road_class[e]] == "residential"}
    assert not minor & {edge for edge, _ in told}


def test_evidence_spreads_by_distance_and_heading(city: RoadNetwork, tmp_path: Path) -> None:
    main = RoadNetwork.from_osm(MAIN.write(tmp_path / "a.osm"), profiles=("car",)).streets
    around = Surroundings(main)
    index = {int(edge): k for k, edge in enumerate(around.edges)}
    code, weight, amount = np.array([0, 3, 4]), np.array([1.0, 2.0, 0.5]), np.array([0.3, 0.1, 1.0])
    got = around.spread(code, weight, amount)
    heading, square = around._heading.T, around._squares[around._cell]
    for edge, k in index.items():
        for direction, sign in ((0, 1.0), (1, -1.0)):
            wanted = np.zeros(2)
            for c, w, a in zip(code.tolist(), weight, amount, strict=True):
                if (c >> 1) not in index:
                    continue
                j, other = index[c >> 1], 1.0 - 2.0 * (c & 1)
                metres = np.hypot(*(square[k] - square[j])) * CELL_M
                alike = (1 + sign * other * float(heading[k] @ heading[j])) / 2
                wanted += np.array([w, a]) * np.exp(-metres / SPREAD_M) * alike
            assert (got[0][2 * edge + direction], got[1][2 * edge + direction]) == pytest.approx(tuple(wanted))
    none = Surroundings(city.streets)
    assert not none.spread(code, weight, amount)[0].any(), "no main streets, nothing to spread to"


def test_live_speeds_are_news_like_others(city: RoadNetwork) -> None:
    news = TrafficNews((SpeedRule(0.5),), live=watched(city, 0.5, 8).speeds(city, 600))
    assert TrafficNews.from_json(news.as_json()) == news
    old = {name: value for name, value in news.as_json().items() if name != "live"}
    assert TrafficNews.from_json(old) == TrafficNews((SpeedRule(0.5),))
    with pytest.raises(InvalidTraffic):
        TrafficNews(live=(LiveSpeeds("car", (10**6,), (0.5,)),)).conditions(city)
