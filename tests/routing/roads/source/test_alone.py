"""A profile's times depend on nothing but the map and its own rules: alone they are what they are beside others."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from routing.errors import InvalidInput
from routing.roads import RoadNetwork
from routing.roads.source.arrays import PROFILES
from tests.kit.data import folder, needs_data
from tests.kit.roads.streetmap import StreetMap
from tests.routing.roads.source.test_kinds import GATES, WAYS

NOON = 1_700_049_600
DRAWING = "\n".join(["A B C D", "E F G H", "I J K L"])
GRID = ["AB", "BC", "CD", "EF", "FG", "GH", "IJ", "JK", "KL", "AE", "EI", "BF", "FJ", "CG", "GK", "DH", "HL"]
HOURS = [{"motor_vehicle:conditional": f"{word} @ (11:00-13:00)"} for word in ("no", "delivery", "yes")]
SIGN = {"maxspeed:conditional": "10 @ (11:00-13:00)"}
TAGS: list[dict[str, str]] = [{}, *HOURS, SIGN, *(tags for _, tags, _, _ in WAYS)]
ROUNDED_MS = 40


@st.composite
def pictures(draw: st.DrawFn) -> StreetMap:
    """A grid whose streets and crossings have any of the tags that the tests of kinds know."""
    streets = draw(st.lists(st.sampled_from(GRID), min_size=10, unique=True))
    ways = [(letters, {"highway": "residential", **draw(st.sampled_from(TAGS))}) for letters in streets]
    kinds = st.sampled_from([tags for _, tags, *_ in GATES])
    gates = draw(st.dictionaries(st.sampled_from("BCEFGHJK"), kinds, max_size=4))
    return StreetMap(DRAWING, ways, gates)


def same_alone(file: Path, points: NDArray[np.float64], profile: str, together: RoadNetwork) -> None:
    alone = RoadNetwork.from_osm(file, profiles=(profile,))
    for at in (None, NOON):
        both = [each.lookup.stops(points, profile, 500.0) for each in (alone, together)]
        got, wanted = (
            city.snapped_ms(stops, stops, profile=profile, at=at)
            for city, stops in zip((alone, together), both, strict=True)
        )
        # Streets are cut where those of others meet them, and every piece is rounded to a millisecond.
        np.testing.assert_allclose(got, wanted, atol=ROUNDED_MS)


@given(pictures(), st.sampled_from(PROFILES))
@settings(deadline=None, max_examples=25)
def test_any_drawing(picture: StreetMap, profile: str) -> None:
    with tempfile.TemporaryDirectory() as room:
        file = picture.write(Path(room) / "a.osm")
        together = RoadNetwork.from_osm(file, profiles=PROFILES)
        try:
            same_alone(file, np.array(list(picture.places.values())), profile, together)
        except InvalidInput as error:
            assert error.code == "no_roads"
            assert (together.streets.drive_ms[PROFILES.index(profile)] < 0).all()


@needs_data
@pytest.mark.data
@pytest.mark.parametrize("name", ["monaco.osm.gz", "helsinki_centre.osm.pbf", "baltimore.osm.pbf"])
def test_public_files(name: str, tmp_path: Path) -> None:
    """Between spots on streets, without waits at lights: of those a spot pays by its share of an edge, however cut."""
    file, tables = folder("osm", name), tmp_path / "t.toml"
    tables.write_text("[car]\nsignal_s = 0\n[bike]\nsignal_s = 0\n")
    together = RoadNetwork.from_osm(file, profiles=PROFILES, tables=tables)
    rng = np.random.default_rng(4)
    for profile in ("car", "bike"):
        alone = RoadNetwork.from_osm(file, profiles=(profile,), tables=tables)
        main = np.flatnonzero(alone.graph(profile).turns.island == 0)  # type: ignore[union-attr]
        spots = alone.latlng_of(rng.choice(main, 60).astype(np.int32), rng.uniform(0.2, 0.8, 60))
        times = []
        for city in (alone, together):
            snaps = city.lookup.snap(spots, profile, 1.0)
            times.append(city.snapped_ms(snaps, snaps, profile=profile))
        np.testing.assert_allclose(times[0], times[1], atol=ROUNDED_MS)
