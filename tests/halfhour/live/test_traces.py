"""Traces out of CSV tables, run folders and journals, and `halfhour roads learn` on them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.roads.drives import Drive
from dispatch.inputs import Position, PositionsSeen, StopArrived, StopCompleted
from halfhour.commands import main
from halfhour.live.traces import Legs, Traces, read_traces
from routing.errors import InvalidInput
from routing.roads import RoadNetwork, SpeedRule
from routing.roads.errors import InvalidTrace
from tests.kit.roads.streetmap import StreetMap

HOME = {"highway": "residential"}
MAP = StreetMap(
    "\n".join(["A B C D E F", "G H I J K L"]), [("ABCDEF", HOME), ("GHIJKL", HOME), ("AG", HOME), ("FL", HOME)]
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    network = RoadNetwork.from_osm(MAP.write(folder / "a.osm"), profiles=("car", "bike"))
    network.save(folder / "a.npz")
    return folder / "a.npz"


@pytest.fixture
def table(city: Path, tmp_path: Path) -> Path:
    """Thirty drives at half the speed, at nine in the morning, two hours east of Greenwich."""
    truth = RoadNetwork.load(city)
    truth.update_speeds([SpeedRule(0.5)])
    random = np.random.default_rng(3)
    file = tmp_path / "traces.csv"
    with file.open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["trip", "at", "lat", "lng"])
        for k in range(30):
            drive = Drive(truth, MAP.at("A-B:10"), MAP.at("K-L:90"), "car")
            seen = drive.seen(str(k), 7 * 3600 + k * 86_400.0, every_s=10, error_m=5, random=random)
            for at, lat, lng in zip(seen.at, seen.lat, seen.lng, strict=True):
                writer.writerow([k, at, lat, lng])
    return file


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = 0
    try:
        main([str(word) for word in words])
    except SystemExit as leaving:
        status = int(leaving.code or 0)
    told = capsys.readouterr()
    return status, told.out, told.err


def test_learn(capsys: Any, city: Path, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "speeds.toml"
    words = ("roads", "learn", table, "--city", city, "--profile", "car", "--out", out, "--timezone", "Europe/Helsinki")
    status, told, _ = run(capsys, *words, "--json")
    facts = json.loads(told)
    assert (status, facts["traces"], facts["matched"]) == (0, 30, 30)
    (speed,) = facts["speeds"]
    assert (speed["profile"], speed["road_class"], speed["slot"]) == ("car", "residential", 9)
    assert speed["factor"] == pytest.approx(0.5, rel=0.1)
    ends = ("--from", "0.0,20.0002", "--to", "0.0,20.004", "--profile", "car", "--json", "--traffic", out, "--at")
    slow, usual = (json.loads(run(capsys, "roads", "path", city, *ends, at)[1]) for at in (7 * 3600 + 60, 0))
    assert slow["seconds"] / usual["seconds"] == pytest.approx(2.0, rel=0.1)
    assert "residential" in run(capsys, *words)[1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("trip,lat,lng\n1,0,20\n", "lacks at"),
        ("trip,at,lat,lng\n1,noon,0,20\n", "no instant"),
        ("trip,at,lat,lng\n1,2026-11-30T12:00:00,0,20\n", "no instant"),
        ("trip,at,lat,lng\n1,0,95,20\n", "no lat"),
        ("trip,at,lat,lng\n1,0,0,\n", "no lng"),
        ("trip,at,lat,lng\n1,0,0,20\n2,0,0,20\n", "two positions"),
        ("trip,at,lat,lng\n1,0,10,20\n1,60,10.01,20\n", "no trace could be matched"),
    ],
)
def test_wrong_tables(capsys: Any, city: Path, tmp_path: Path, text: str, told: str) -> None:
    file, out = tmp_path / "wrong.csv", tmp_path / "speeds.toml"
    file.write_text(text)
    status, _, err = run(capsys, "roads", "learn", file, "--city", city, "--profile", "car", "--out", out)
    assert (status, told in err, "[invalid_trace]" in err) == (2, True, True)
    assert not out.exists()


def test_wrong_options(capsys: Any, city: Path, table: Path, tmp_path: Path) -> None:
    for words, code in (
        (("--city", city, "--slot-s", 7), "bad_option"),
        ((), "bad_option"),
        (("--city", city, "--profile", "rocket"), "unknown_profile"),
        (("--city", city, "--timezone", "Mars/North"), "invalid_input"),
    ):
        status, _, err = run(capsys, "roads", "learn", table, "--out", tmp_path / "s.toml", *words)
        assert (status, f"[{code}]" in err) == (2, True), (words, err)
    assert run(capsys, "roads", "learn", tmp_path / "none", "--city", city)[0] == 2


def test_a_table_is_sorted_and_its_doubles_counted(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(
        "trip,at,lat,lng,profile\na,20,0,20.1,car\na,2026-11-30T12:00:00+01:00,0,20,car\na,20,0,20.2,car\nb,0,0,20,\n"
    )
    found = read_traces(str(file), "bike")
    ((profile, trace),) = found.each
    assert (profile, trace.at.tolist(), trace.lng.tolist()) == ("car", [20.0, 1_796_036_400.0], [20.1, 20.0])
    assert dict(found.skipped) == {"second ones of their instant": 1, "alone in their trip": 1}


def test_legs_of_a_journal() -> None:
    """From the end of a stop to the arrival at the next; what lies outside is counted."""
    legs = Legs({"r": "car"})
    seen = [Position("r", 0.0, 20.0 + k / 1000, 10 * k) for k in range(10)]
    legs.take(PositionsSeen(at=15, positions=tuple(seen[:2])))
    legs.take(StopCompleted(at=20, rider_id="r", stop_id="1", happened_at=20))
    for each in seen[2:]:
        legs.take(PositionsSeen(at=each.seen_at, positions=(each,)))
    legs.take(StopArrived(at=95, rider_id="r", stop_id="2", happened_at=70))
    found = Traces()
    legs.give(found)
    ((profile, trace),) = found.each
    assert (profile, trace.at.tolist()) == ("car", [20.0, 30.0, 40.0, 50.0, 60.0, 70.0])
    assert found.skipped["of no finished leg"] == 4


def test_what_is_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        read_traces(str(tmp_path), "car")
    (tmp_path / "x.csv").write_text("")
    with pytest.raises(InvalidTrace):
        read_traces(str(tmp_path / "x.csv"), "car")
