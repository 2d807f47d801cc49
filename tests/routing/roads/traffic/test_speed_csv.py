"""Speeds in CSV: by segments as for OSRM, by ways and times of day, by ways as Valhalla keeps them."""

from __future__ import annotations

import base64
import gzip
import logging
import struct
from pathlib import Path

import numpy as np
import pytest

from routing.errors import InvalidInput
from routing.roads import RoadNetwork
from routing.roads.traffic.speed_csv import decode_predicted
from tests.kit.roads.streetmap import StreetMap

# P to Q by way 100 (P-M-N-Q, M and N no crossings), back and round by 101; by car 25 km/h: 100 m in 14.4 s.
DRAWING = "\n".join(["P M N Q", "R     S"])
HOME = {"highway": "residential"}
PICTURE = StreetMap(DRAWING, [("PMNQ", HOME), ("PRSQ", HOME)])
NODE = {letter: k for k, letter in enumerate("PMNQRS", start=1)}
SUNDAY = 3 * 86_400
HOUR = 3600


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    folder = tmp_path_factory.mktemp("city")
    built = RoadNetwork.from_osm(PICTURE.write(folder / "a.osm"), profiles=("car", "foot"))
    built.save(folder / "a.npz")
    return RoadNetwork.load(folder / "a.npz")


def seconds(city: RoadNetwork, folder: Path, text: str, trip: str, at: int = SUNDAY, profile: str = "car") -> float:
    """Seconds of a trip along way 100, from one tenth to nine tenths of it or back."""
    file = folder / "speeds.csv"
    file.write_text(text)
    other = city.twin()
    other.set_traffic(file)
    ends = [
        np.array([PICTURE.at(spot)]) for spot in (("P-M:30", "N-Q:70") if trip == "there" else ("N-Q:70", "P-M:30"))
    ]
    return float(other.travel_seconds(*ends, profile=profile, at=at)[0, 0])


FREE = 240 / 25 * 3.6


def test_segments_as_for_osrm(city: RoadNetwork, tmp_path: Path) -> None:
    # 100 of 300 m at 10 km/h (36 s), the rest at 25 (28.8 s): the edge takes 64.8 s instead of 43.2.
    text = f"{NODE['M']},{NODE['N']},10\n"
    assert seconds(city, tmp_path, text, "there") == pytest.approx(FREE * 64.8 / 43.2, abs=0.01)
    assert seconds(city, tmp_path, text, "back") == pytest.approx(FREE, abs=0.01)
    assert seconds(city, tmp_path, text, "there", profile="foot") == pytest.approx(240 / 5 * 3.6, abs=0.01)
    both = text + f"{NODE['N']},{NODE['Q']},20.0,1.5\n"
    assert seconds(city, tmp_path, both, "there") == pytest.approx(FREE * (36 + 18 + 14.4) / 43.2, abs=0.01)


def test_a_speed_of_0_closes(city: RoadNetwork, tmp_path: Path) -> None:
    file = tmp_path / "closed.csv"
    file.write_text(f"{NODE['M']},{NODE['N']},0\n")
    other = city.twin()
    other.set_traffic(file)
    ends = [np.array([PICTURE.at(spot)]) for spot in ("P-R:10", "N-Q:50")]
    # 10 + 250 m along the way, or 90 + 300 + 100 + 50 m round and against it.
    for network, metres in ((city, 260), (other, 540)):
        found = float(network.travel_seconds(*ends, profile="car", at=SUNDAY)[0, 0])
        assert found == pytest.approx(metres / 25 * 3.6, abs=0.05)


def test_ids_of_elsewhere_are_counted_and_passed_over(
    city: RoadNetwork, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        text = f"{NODE['M']},{NODE['N']},10\n77,78,10\n{NODE['M']},{NODE['Q']},5\n"
        assert seconds(city, tmp_path, text, "there") == pytest.approx(FREE * 64.8 / 43.2, abs=0.01)
    assert "2 of 3 rows name what is not in this city" in caplog.text
    assert "77 to 78, 2 to 4" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert seconds(city, tmp_path, "77,78,10\n", "there") == pytest.approx(FREE, abs=0.01)
    assert "it selects 0 edges" in caplog.text


def test_ways_by_direction_and_time_of_day(city: RoadNetwork, tmp_path: Path) -> None:
    text = "way,direction,from,to,kmh\n100,forward,07:30,09:00,15\n100,backward,22:00,02:00,5\n999,both,,,3\n"
    slow, night = FREE * 25 / 15, FREE * 25 / 5
    found = [seconds(city, tmp_path, text, "there", SUNDAY + 7 * HOUR + k * 60) for k in (29, 30, 119, 120)]
    assert found == pytest.approx([FREE, slow, slow, FREE], abs=0.01)
    found = [seconds(city, tmp_path, text, "back", SUNDAY + k * HOUR) for k in (8, 23, 1, 2)]
    # Round by the other way it is 60 m back to P, 500 m and 60 m more at 25 km/h: less than 240 m at 5.
    assert found[0] == pytest.approx(FREE, abs=0.01)
    assert found[1] == found[2] < night
    assert found[1] > 2 * FREE
    assert found[3] == pytest.approx(FREE, abs=0.01)


def test_valhalla_s_speeds_of_day_and_night(city: RoadNetwork, tmp_path: Path) -> None:
    text = "way_id,direction,freeflow,constrained\n100,forward,20,15\n100,backward,0,15\n"
    found = [seconds(city, tmp_path, text, "there", SUNDAY + k * HOUR) for k in (6, 7, 18, 19)]
    assert found == pytest.approx([FREE * 25 / k for k in (20, 15, 15, 20)], abs=0.01)
    assert seconds(city, tmp_path, text, "back", SUNDAY) == pytest.approx(FREE, abs=0.01)


def packed(numbers: list[int]) -> str:
    return base64.b64encode(struct.pack(">200h", *numbers, *[0] * (200 - len(numbers)))).decode()


def test_valhalla_s_predicted_speeds(city: RoadNetwork, tmp_path: Path) -> None:
    numbers = [1400, 300, -200, 50]
    fft = pytest.importorskip("scipy.fft")
    wanted = fft.idct(np.array(numbers + [0] * 2012, dtype=float), norm="ortho").reshape(-1, 3).mean(axis=1)
    assert decode_predicted(packed(numbers), "f", 1) == pytest.approx(wanted, abs=1e-6)
    text = f"way,direction,freeflow,constrained,predicted\n100,forward,,,{packed(numbers)}\n"
    for slot in (0, 40, 671):
        got = seconds(city, tmp_path, text, "there", SUNDAY + slot * 900)
        assert got == pytest.approx(FREE * 25 / wanted[slot], abs=0.02)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1,2", "from_node,to_node,km/h"),
        ("1,x,30", "to_node"),
        ("1,2,-4", "0 to 300"),
        ("1,2,nan", "0 to 300"),
        ("way,direction,kmh\n100,up,3", "forward"),
        ("way,direction,kmh\n100.5,both,3", "whole number"),
        ("way,direction,from,to,kmh\n100,both,25:00,,3", "time of day"),
        ("way,direction\n100,both", "needs kmh"),
        ("way,direction,predicted\n100,both,AAAA", "200 numbers"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(city: RoadNetwork, tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        seconds(city, tmp_path, text, "there")
    assert told in f"{caught.value} {caught.value.details}"
    assert str(caught.value.details["file"]).endswith("speeds.csv")
    assert "line" in caught.value.details


@pytest.mark.parametrize(
    "text",
    [
        "way;direction;kmh\n100;forward;12,5\n",
        "way\tdirection\tkmh\n100\tforward\t12.5\n",
        "way|direction|speed\n100|forward|12.5 km/h\n",
        "way,direction,kmh\r\n100,forward,12.5\r\n",
        'osm_way_id,direction,speed_mph\n"100","forward","7.767138"\n',
        "way,direction,speed\n100,forward,7.767138 mph\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_units_and_marks_of_spreadsheets(
    city: RoadNetwork, tmp_path: Path, text: str, encoding: str
) -> None:
    file = tmp_path / "speeds.csv"
    file.write_bytes(text.encode(encoding))
    other = city.twin()
    other.set_traffic(file)
    ends = [np.array([PICTURE.at(spot)]) for spot in ("P-M:30", "N-Q:70")]
    found = float(other.travel_seconds(*ends, profile="car", at=SUNDAY)[0, 0])
    assert found == pytest.approx(240 / 12.5 * 3.6, abs=0.02)


@pytest.mark.parametrize("number", ["99999999999999999999", "11.5", "eleven", ""])
def test_a_way_that_is_no_number_is_refused_with_its_line(city: RoadNetwork, tmp_path: Path, number: str) -> None:
    file = tmp_path / "speeds.csv"
    file.write_text(f"way,direction,kmh\n{number},forward,20\n")
    with pytest.raises(InvalidInput, match=r"no (whole )?number") as caught:
        city.twin().set_traffic(file)
    assert (caught.value.details["line"], caught.value.details["field"]) == (2, "way")


@pytest.mark.parametrize("speed", ["12 knots", "fast", "kmh", "12,5", "1e3", "-1", ""])
def test_a_speed_that_cannot_be_read_is_refused_with_its_line(city: RoadNetwork, tmp_path: Path, speed: str) -> None:
    file = tmp_path / "speeds.csv"
    file.write_text(f'way,direction,kmh\n100,forward,20\n100,backward,"{speed}"\n')
    with pytest.raises(InvalidInput, match="a speed is 0 to 300") as caught:
        city.twin().set_traffic(file)
    assert caught.value.details["line"] == 3


@pytest.mark.parametrize(
    ("said", "slow_days"),
    [("tue", {2}), ("Tuesday", {2}), ("mon-wed", {1, 2, 3}), ("fri-mon", {5, 6, 0, 1}), ('"sat,sun"', {6, 0}),
     ("mon wed", {1, 3}), ("", set(range(7)))],
)  # fmt: skip
def test_days_of_a_column_are_heeded(city: RoadNetwork, tmp_path: Path, said: str, slow_days: set[int]) -> None:
    text = f"way,direction,days,from,to,kmh\n100,forward,{said},07:00,09:00,15\n"
    found = [seconds(city, tmp_path, text, "there", SUNDAY + day * 86_400 + 8 * HOUR) for day in range(7)]
    wanted = [FREE * 25 / 15 if day in slow_days else FREE for day in range(7)]
    assert found == pytest.approx(wanted, abs=0.02)


def test_a_night_of_one_day_ends_on_the_next(city: RoadNetwork, tmp_path: Path) -> None:
    text = "way,direction,weekday,from,to,kmh\n100,forward,sat,22:00,02:00,15\n"
    hours = (6 * 24 + 21, 6 * 24 + 23, 7 * 24 + 1, 7 * 24 + 2, 1)
    found = [seconds(city, tmp_path, text, "there", SUNDAY + hour * HOUR) for hour in hours]
    slow = FREE * 25 / 15
    assert found == pytest.approx([FREE, slow, slow, FREE, slow], abs=0.02), "the first hours of a Sunday, too"


@pytest.mark.parametrize("said", ["holidays", "mon-", "mon-tue-wed", "8"])
def test_days_that_are_none(city: RoadNetwork, tmp_path: Path, said: str) -> None:
    with pytest.raises(InvalidInput, match="days are mon to sun") as caught:
        seconds(city, tmp_path, f"way,direction,day,kmh\n100,both,{said},15\n", "there")
    assert (caught.value.details["line"], caught.value.details["field"]) == (2, "day")


def test_the_last_of_two_rows_about_a_segment_counts(city: RoadNetwork, tmp_path: Path) -> None:
    row = f"{NODE['M']},{NODE['N']},"
    assert seconds(city, tmp_path, f"{row}0\n{row}10\n", "there") == seconds(city, tmp_path, f"{row}10\n", "there")


def test_a_packed_file_is_unpacked(city: RoadNetwork, tmp_path: Path) -> None:
    text = "way,direction,kmh\n100,forward,15\n"
    packed = gzip.compress(text.encode())
    other = city.twin()
    for whole, file in ((True, tmp_path / "speeds.csv.gz"), (False, tmp_path / "cut.csv.gz")):
        file.write_bytes(packed if whole else packed[:-12])
        if whole:
            other.set_traffic(file)
            ends = [np.array([PICTURE.at(spot)]) for spot in ("P-M:30", "N-Q:70")]
            found = float(other.travel_seconds(*ends, profile="car", at=SUNDAY)[0, 0])
            assert found == pytest.approx(FREE * 25 / 15, abs=0.02)
        else:
            with pytest.raises(InvalidInput, match="cannot be unpacked"):
                other.set_traffic(file)


def test_times_go_by_the_clocks_of_the_city(tmp_path: Path) -> None:
    """A table that names no zone is read by the zone of the city: Lisbon is an hour ahead in summer."""
    built = RoadNetwork.from_osm(PICTURE.write(tmp_path / "a.osm"), profiles=("car",), timezone="Europe/Lisbon")
    summer = 1_720_000_800 - 1_720_000_800 % 86_400
    text = "way,direction,from,to,kmh\n100,forward,08:00,09:00,15\n"
    found = [seconds(built, tmp_path, text, "there", summer + hour * HOUR) for hour in (6, 7, 8)]
    assert found == pytest.approx([FREE, FREE * 25 / 15, FREE], abs=0.02)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_city_is_saved_with_a_table_of_a_spreadsheet(city: RoadNetwork, tmp_path: Path, encoding: str) -> None:
    (tmp_path / "speeds.csv").write_bytes("way,direction,kmh\n100,forward,15\n".encode(encoding))
    city.save(tmp_path / "b.npz", traffic=tmp_path / "speeds.csv")
    ends = [np.array([PICTURE.at(spot)]) for spot in ("P-M:30", "N-Q:70")]
    found = float(RoadNetwork.load(tmp_path / "b.npz").travel_seconds(*ends, profile="car", at=SUNDAY)[0, 0])
    assert found == pytest.approx(FREE * 25 / 15, abs=0.02)
