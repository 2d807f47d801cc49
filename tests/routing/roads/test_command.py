"""`halfhour roads`: what it prints, what it refuses, what it leaves behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from halfhour.commands import main
from tests.kit.roads.osmfile import write_osm
from tests.kit.roads.streetmap import StreetMap

HOME = {"highway": "residential", "name": "Home Street"}


class Outcome:
    """Exit status and output of one run."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def run_one(*words: object) -> Outcome:
        status = 0
        try:
            main(["roads", *(str(word) for word in words)])
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run_one


@pytest.fixture
def osm(tmp_path: Path) -> Path:
    ways = [([1, 2, 3], HOME), ([3, 103], {"highway": "primary", "name": "Main Street"})]
    return write_osm(tmp_path / "town.osm", ways, restrictions=1)


@pytest.fixture
def city(run: Any, osm: Path, tmp_path: Path) -> Path:
    file = tmp_path / "town.npz"
    assert run("build", osm, "--out", file, "--profile", "car", "--profile", "foot").status == 0
    return file


def test_build_and_info(run: Any, city: Path, osm: Path) -> None:
    facts = run("info", city, "--json").json
    assert facts["profiles"] == {"car": 2, "foot": 2}
    assert (facts["turn_restrictions"], facts["restrictions_honoured"]) == (1, 0)
    assert facts["restrictions_skipped"] == {"without from, via or to": 1}
    assert "OpenStreetMap" in facts["attribution"]
    assert facts["nodes"] == 3
    built = run("build", osm, "--out", city, "--profile", "car", "--profile", "foot", "--json").json
    assert built == facts
    shown = run("info", city).out
    assert "restrictions skipped" in shown
    assert "OpenStreetMap" in shown


def test_a_matrix_tells_what_is_walked(run: Any, city: Path, tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    points.write_text("lat,lng\n41.001,-8.0\n41.003,-7.999\n")
    told = run("matrix", city, "--origins", points, "--profile", "car", "--json").json
    way = run("path", city, "--from", "41.001,-8.0", "--to", "41.003,-7.999", "--profile", "car", "--json").json
    for unit in ("metres", "seconds"):
        pair = [told[f"walk_{unit}"][side][0][1] for side in ("from", "to")]
        assert pair == pytest.approx(way[f"walk_{unit}"], abs=0.11)


def test_matrix(run: Any, city: Path, tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    points.write_text("name,lat,lng\na,41.001,-8.0\nb,41.003,-8.0\n")
    shown = run("matrix", city, "--origins", points, "--profile", "car")
    # 222.39 m at 25 km/h: 32.024 s.
    assert shown.out == "0,32.024\n32.024,0\n"
    told = run("matrix", city, "--origins", points, "--destinations", points, "--profile", "car", "--json").json
    assert told["seconds"] == [[0.0, 32.024], [32.024, 0.0]]
    assert told["profile"] == "car"


def test_path(run: Any, city: Path, tmp_path: Path) -> None:
    ends = ("--from", "41.001,-8.0", "--to", "41.003,-7.999", "--profile", "car")
    way = run("path", city, *ends, "--json").json
    assert way["found"]
    assert way["streets"] == ["Home Street", "Main Street"]
    assert way["geometry"][0] == [41.001, -8.0]
    assert "OpenStreetMap" in way["attribution"]
    assert "Home Street" in run("path", city, *ends).out
    traffic = tmp_path / "traffic.toml"
    traffic.write_text("starts_at = 0\nslots = 2\n[[speed]]\nfactor = 0.5\n")
    jammed = run("path", city, *ends, "--traffic", traffic, "--at", 900, "--json").json
    assert jammed["seconds"] == pytest.approx(2 * way["seconds"], abs=0.01)
    wet = run("path", city, *ends, "--weather", "rain", "--json").json
    assert wet["seconds"] > way["seconds"]
    late = run("path", city, *ends, "--traffic", traffic, "--at", 1800)
    assert late.status == 2
    assert "[outside_traffic]" in late.err


def test_traffic_makes_a_city_of_its_own(run: Any, city: Path, tmp_path: Path) -> None:
    wet = tmp_path / "wet.npz"
    told = run("traffic", city, "--weather", "rain", "--out", wet, "--json").json
    assert told["digest"] == run("info", wet, "--json").json["digest"] != run("info", city, "--json").json["digest"]
    ends = ("--from", "41.001,-8.0", "--to", "41.003,-7.999", "--profile", "car", "--json")
    assert run("path", wet, *ends).json == run("path", city, *ends, "--weather", "rain").json


def test_bad_input_is_one_message_with_status_2(run: Any, city: Path, osm: Path, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("lat,lng\nnorth,west\n")
    ends = ("--from", "41.001,-8.0", "--to", "41.003,-7.999")
    out = ("--out", tmp_path / "new.npz")
    cases = {
        "unreadable_file": ("build", text, *out),
        "bad_option": ("build", *out),
        "unknown_profile": ("build", osm, "--profile", "rocket", *out),
        "no_roads": ("build", osm, "--area", _area(tmp_path), *out),
        "invalid_points": ("matrix", city, "--origins", text),
        "too_far_from_road": ("path", city, "--from", "0,0", "--to", "0,0", "--profile", "car"),
        "invalid_traffic": ("path", city, *ends, "--profile", "car", "--weather", "frogs"),
    }
    for code, words in cases.items():
        outcome = run(*words)
        assert outcome.status == 2, code
        assert f"[{code}]" in outcome.err
        assert "Traceback" not in outcome.err
        assert outcome.out == ""
    assert not (tmp_path / "new.npz").exists()
    assert run("info", text).status == 2
    assert run("info", tmp_path / "missing.npz").status == 2
    assert run("path", city, *ends).status == 2


def _area(tmp_path: Path) -> Path:
    file = tmp_path / "far.geojson"
    corners = [[10, 10], [11, 10], [11, 11], [10, 10]]
    file.write_text(json.dumps({"type": "Polygon", "coordinates": [corners]}))
    return file


def test_check_tells_why(run: Any, tmp_path: Path) -> None:
    """A bridge lies nearer than the street below, and the left turn is not allowed."""
    city = tmp_path / "a.npz"
    picture = StreetMap(
        "\n".join(["A N D", "W X E", "B S C"]),
        [(letters, HOME) for letters in ("WX", "XE", "XN", "XS", "ED", "DN", "WB", "BS")],
        turns=[("WX", "X", "XN", {"restriction": "no_left_turn"})],
    )
    assert run("build", picture.write(tmp_path / "a.osm"), "--out", city, "--profile", "car").status == 0
    w, n = (",".join(map(str, picture.at(spot))) for spot in ("W", "N"))
    told = run("check", city, w, n, "--profile", "car", "--json").json
    assert told["way"]["found"]
    assert told["refused_way"]["breaks"] == ["no turn from Home Street into Home Street"]
    assert told["refused_way"]["seconds"] < told["way"]["seconds"]
    assert {stop["part"] for stop in told["origin"]["stops"]} == {0}
    assert "no turn from Home Street" in run("check", city, w, n, "--profile", "car").out


@pytest.mark.parametrize("verb", ["build", "info", "traffic", "matrix", "path", "check", "learn"])
def test_help_shows_an_example(run: Any, verb: str) -> None:
    assert f"halfhour roads {verb}" in run(verb, "--help").out
