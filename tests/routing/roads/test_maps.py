"""Streets to draw: what lies in the box, by style, with the attribution."""

from __future__ import annotations

from routing.roads.city.maps import streets_map
from tests.kit.roads.drawing import draw


def test_streets_in_a_box_by_style() -> None:
    city = draw("A-B-C\n|    \nD.E  ", attribution="© Somebody")
    (south, west), (north, east) = city.at("D"), city.at("B")
    given = streets_map(city.network, south_west=(south, west), north_east=(north, east + 1e-9))
    assert given["attribution"] == "© Somebody"
    lines = {each["properties"]["class"]: each["geometry"]["coordinates"] for each in given["features"]}
    # B-C leaves the box; the lane D-E is residential, so a street.
    assert {name: len(found) for name, found in lines.items()} == {"avenue": 2, "street": 1}
    a_lat, a_lng = city.at("A")
    assert [round(a_lng, 5), round(a_lat, 5)] in lines["avenue"][0]


def test_footways_are_drawn_on_request() -> None:
    city = draw("A.B", side="footway")
    box = {"south_west": (40.0, -9.0), "north_east": (42.0, -7.0)}
    assert [len(each["geometry"]["coordinates"]) for each in streets_map(city.network, **box)["features"]] == [0, 0]
    wanted = streets_map(city.network, **box, lanes=True)["features"]
    assert [len(each["geometry"]["coordinates"]) for each in wanted] == [0, 0, 1]
