"""Sources, ends and articles of orders in a scenario folder: read, written, and refused by line and field."""

from __future__ import annotations

import pytest

from dispatch.ways import Source
from sim.sources import open_scenario
from sim.sources.folder_writer import write_folder
from sim.sources.rows import InvalidScenario
from tests.kit.folders import ORDERS, written

WAYS = "kiosk 600; bakery 300 price 50"


def with_ways(sources, ends=""):
    """The orders table with sources and ends of its first line."""
    header, first, second = ORDERS.strip().split("\n")
    return f"{header},sources,ends\n{first},{sources},{ends}\n{second},,\n"


def test_sources_and_ends_are_read_and_written_and_no_column_where_there_are_none(tmp_path):
    scenario = open_scenario(written(tmp_path, **{"orders.csv": with_ways(WAYS, "door price 7; counter bakery")}))
    alone, named = (one.order for one in scenario.demand)
    assert not alone.has_alternatives
    assert named.sources == (Source("kiosk", 600), Source("bakery", 300, 50))
    door, counter = named.ends
    assert (door.name, door.price, door.place) == ("door", 7, named.drop_place)
    places, bakery = scenario.catalogue.places, scenario.catalogue.stores[1].place
    assert counter.name == "counter:bakery" and counter.place != bakery
    assert (places.first[counter.place], places.second[counter.place]) == (places.first[bakery], places.second[bakery])
    write_folder(tmp_path / "again", scenario)
    assert open_scenario(tmp_path / "again").demand == scenario.demand
    write_folder(tmp_path / "plain", open_scenario(written(tmp_path)))
    assert "sources" not in (tmp_path / "plain" / "orders.csv").read_text()


def test_articles_are_read_and_written_and_no_column_where_there_are_none(tmp_path):
    header, first, second = ORDERS.strip().split("\n")
    named = f"{header},skus\n{first},milk 2; bread 1\n{second},\n"
    scenario = open_scenario(written(tmp_path, **{"orders.csv": named}))
    assert [one.order.skus for one in scenario.demand] == [(), (("milk", 2), ("bread", 1))]
    write_folder(tmp_path / "again", scenario)
    assert open_scenario(tmp_path / "again").demand == scenario.demand
    write_folder(tmp_path / "plain", open_scenario(written(tmp_path)))
    assert "skus" not in (tmp_path / "plain" / "orders.csv").read_text()


BAD = [
    ("orders.csv", ORDERS.replace("cancelled_at", "skus").replace("11:00", "milk"), "no article", "skus", ""),
    ("orders.csv", with_ways("kiosk soon"), "no source", "sources", ""),
    ("orders.csv", with_ways("kiosk 600; kiosq 600"), "no store 'kiosq'", "sources", ""),
    ("orders.csv", with_ways("bakery 600"), "none of its sources", "sources", "among them"),
    ("orders.csv", with_ways("", "window"), "no end", "ends", ""),
    ("orders.csv", with_ways("", "door; counter kiosq"), "no store 'kiosq'", "ends", ""),
    ("orders.csv", with_ways("", "counter kiosk"), "none of its ends", "ends", "among them"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "message", "field", "hint"), BAD, ids=[case[2] for case in BAD])
def test_what_is_none_is_named(tmp_path, name, text, message, field, hint):
    with pytest.raises(InvalidScenario) as found:
        open_scenario(written(tmp_path, **{name: text}))
    assert message in found.value.message and hint in found.value.hint
    assert (found.value.details["field"], found.value.details["line"]) == (field, 2 if "skus" not in text else 3)
