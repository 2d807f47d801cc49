"""Who may go where: access, one-ways and speeds per profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.errors import UnreadableFile
from routing.roads.errors import InvalidSpeed, UnknownProfile
from routing.roads.source.access import Access
from routing.roads.source.profiles import make_profiles, parse_maxspeed, read_tables

ALL = ("foot", "bike", "ebike", "scooter", "car")
PROFILES = {profile.name: profile for profile in make_profiles(ALL, read_tables())}


def open_ways(profile: str, **tags: str) -> str:
    """ "both", "along", "against" or "none" for a way with these tags (underscores stand for colons after oneway)."""
    along, against = PROFILES[profile].speeds({key.replace("__", ":"): value for key, value in tags.items()})
    return {(True, True): "both", (True, False): "along", (False, True): "against", (False, False): "none"}[
        along > 0, against > 0
    ]


@pytest.mark.parametrize(
    ("tags", "foot", "bike", "scooter", "car"),
    [
        ({"highway": "residential"}, "both", "both", "both", "both"),
        ({"highway": "motorway"}, "none", "none", "none", "along"),
        ({"highway": "motorway", "oneway": "no"}, "none", "none", "none", "both"),
        ({"highway": "trunk"}, "none", "none", "none", "both"),
        ({"highway": "trunk", "bicycle": "yes"}, "none", "both", "none", "both"),
        ({"highway": "footway"}, "both", "none", "none", "none"),
        ({"highway": "footway", "bicycle": "yes"}, "both", "both", "none", "none"),
        ({"highway": "steps"}, "both", "none", "none", "none"),
        ({"highway": "cycleway", "foot": "no"}, "none", "both", "none", "none"),
        ({"highway": "pedestrian", "motor_vehicle": "delivery"}, "both", "none", "both", "both"),
        ({"highway": "residential", "oneway": "yes"}, "both", "along", "along", "along"),
        ({"highway": "residential", "oneway": "-1"}, "both", "against", "against", "against"),
        ({"highway": "residential", "oneway": "reversible"}, "both", "none", "none", "none"),
        ({"highway": "residential", "oneway": "yes", "oneway__bicycle": "no"}, "both", "both", "along", "along"),
        ({"highway": "residential", "oneway": "yes", "cycleway": "opposite_lane"}, "both", "both", "along", "along"),
        ({"highway": "residential", "oneway": "yes", "cycleway__left__oneway": "-1"}, "both", "both", "along", "along"),
        ({"highway": "residential", "oneway": "yes", "oneway__moped": "no"}, "both", "along", "both", "along"),
        ({"highway": "tertiary", "junction": "roundabout"}, "both", "along", "along", "along"),
        ({"highway": "residential", "access": "private"}, "both", "both", "both", "both"),
        ({"highway": "service", "access": "private", "foot": "yes"}, "both", "both", "both", "both"),
        ({"highway": "service", "access": "no", "motor_vehicle": "yes"}, "none", "none", "both", "both"),
        ({"highway": "residential", "vehicle": "no"}, "both", "none", "none", "none"),
        ({"highway": "residential", "vehicle": "no", "bicycle": "yes"}, "both", "both", "none", "none"),
        ({"highway": "residential", "access": "destination"}, "both", "both", "both", "both"),
        ({"highway": "service", "area": "yes"}, "both", "none", "none", "none"),
        ({"highway": "construction"}, "none", "none", "none", "none"),
        ({"highway": "residential", "impassable": "yes"}, "none", "none", "none", "none"),
        ({"highway": "busway"}, "none", "none", "none", "none"),
        ({"highway": "busway", "bicycle": "yes"}, "none", "both", "none", "none"),
        ({"highway": "proposed", "access": "yes"}, "none", "none", "none", "none"),
    ],
)
def test_access_and_direction(tags: dict[str, str], foot: str, bike: str, scooter: str, car: str) -> None:
    got = {name: open_ways(name, **tags) for name in ("foot", "bike", "ebike", "scooter", "car")}
    assert got == {"foot": foot, "bike": bike, "ebike": bike, "scooter": scooter, "car": car}


@pytest.mark.parametrize(
    ("sign", "kmh"),
    [
        ("50", 50.0),
        ("30 mph", 48.28032),
        ("30mph", 48.28032),
        ("20 km/h", 20.0),
        ("walk", 7.0),
        ("50;30", 50.0),
        ("none", None),
        ("signals", None),
        ("DE:urban", 50.0),
        ("DE:zone:30", 30.0),
        ("DE:zone30", 30.0),
        ("RO:urban", 50.0),
        ("FI:rural", 80.0),
        ("urban", None),
        ("-30", None),
        ("0", None),
        ("nan", None),
        ("", None),
        (None, None),
    ],
)
def test_maxspeed_units(sign: str | None, kmh: float | None) -> None:
    assert parse_maxspeed(sign) == (None if kmh is None else pytest.approx(kmh))


def test_a_sign_sets_the_speed_of_cars_and_only_slows_bikes() -> None:
    fast, slow = {"highway": "secondary", "maxspeed": "80"}, {"highway": "secondary", "maxspeed": "10"}
    # 85 % of the sign, drivers brake and turn; bikes ride 17 km/h unless the sign is lower.
    assert PROFILES["car"].speeds(fast)[0] == pytest.approx(0.85 * 80)
    assert PROFILES["car"].speeds(slow)[0] == pytest.approx(0.85 * 10)
    assert PROFILES["bike"].speeds(fast)[0] == pytest.approx(17.0)
    assert PROFILES["bike"].speeds(slow)[0] == pytest.approx(10.0)
    assert PROFILES["scooter"].speeds(fast)[0] == pytest.approx(45.0)


def test_surface_and_dismounting() -> None:
    assert PROFILES["bike"].speeds({"highway": "track", "surface": "sand"})[0] == pytest.approx(12.0 * 0.4)
    assert PROFILES["bike"].speeds({"highway": "footway", "bicycle": "dismount"})[0] == pytest.approx(4.5)


@pytest.mark.parametrize(
    ("tags", "passing"),
    [
        ({"barrier": "bollard"}, ("foot", "bike", "ebike")),
        ({"barrier": "gate"}, ALL),
        ({"barrier": "gate", "access": "private"}, ()),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, ALL),
        ({"barrier": "stile"}, ("foot",)),
        ({"barrier": "wicket_gate"}, ("foot",)),
        ({"barrier": "cattle_grid"}, ALL),
        ({"barrier": "bus_trap"}, ("foot", "bike", "ebike")),
        ({"barrier": "bus_trap", "motor_vehicle": "yes"}, ALL),
        ({"barrier": "city_wall"}, ()),
        ({"barrier": "never heard of"}, ("foot", "bike", "ebike")),
        ({"barrier": "height_restrictor", "maxheight": "1.4"}, ("foot", "bike", "ebike", "scooter")),
    ],
)
def test_barriers(tags: dict[str, str], passing: tuple[str, ...]) -> None:
    assert tuple(name for name in ALL if PROFILES[name].gate(tags)[0] == Access.OPEN) == passing


def test_a_file_overrides_single_values(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[car.kmh]\nresidential = 20\n[cargobike]\naccess = ["access"]\noneway = []\nkmh = { path = 9 }\n')
    car, cargo = make_profiles(("car", "cargobike"), read_tables(file))
    assert car.speeds({"highway": "residential"})[0] == 20.0
    assert car.speeds({"highway": "tertiary"})[0] == PROFILES["car"].speeds({"highway": "tertiary"})[0]
    assert cargo.speeds({"highway": "path"}) == (9.0, 9.0)


@pytest.mark.parametrize("value", ["0", "-5", "nan", "inf", '"fast"', "true"])
def test_a_speed_must_be_above_zero(tmp_path: Path, value: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f"[car.kmh]\nresidential = {value}\n")
    with pytest.raises(InvalidSpeed, match=r"car\.kmh\.residential"):
        make_profiles(("car",), read_tables(file))


def test_wrong_tables(tmp_path: Path) -> None:
    with pytest.raises(UnknownProfile, match="hovercraft"):
        make_profiles(("hovercraft",), read_tables())
    with pytest.raises(UnreadableFile, match="cannot be read"):
        read_tables(tmp_path / "missing.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[car\n")
    with pytest.raises(UnreadableFile, match="not TOML"):
        read_tables(broken)
    strange = tmp_path / "strange.toml"
    strange.write_text("[car]\nwings = 2\n")
    with pytest.raises(UnknownProfile, match="wings"):
        make_profiles(("car",), read_tables(strange))
