"""A user's own tables: other names, other formats, days that run past midnight."""

from __future__ import annotations

import datetime
import zoneinfo

import pytest

from dispatch.policies.nearest import Nearest
from routing.errors import InvalidInput
from sim.replay.replay import replay
from sim.sources import open_scenario
from sim.sources.folder_writer import write_folder
from sim.sources.mapping import READY_S
from sim.sources.rows import InvalidScenario
from sim.sources.table import import_tables

MAPPING = """
name = "yesterday"
time_zone = "Europe/Rome"
day = 2024-05-04
day_begins = "05:00"
delimiter = ";"
[orders]
order_id = "No"
store_id = "Restaurant"
store_lat = "R lat"
store_lng = "R lng"
lat = "Lat"
lng = "Lng"
placed_at = "Ordered"
ready_at = "Ready"
[riders]
rider_id = "Name"
start_at = "From"
end_at = "To"
profile = "Vehicle"
[profiles]
Moto = "scooter"
[travel]
kind = "straight"
metres_per_minute = { scooter = 400.0 }
"""
ORDERS = """No;Restaurant;R lat;R lng;Lat;Lng;Ordered;Ready
1;Da Mario;41.90;12.49;41.91;12.50;23:50;00:05
2;Da Mario;41.90;12.49;41.89;12.48;00:20;00:40
3;Roma;41.88;12.47;41.89;12.49;21:00;
"""
RIDERS = """Name;From;To;Vehicle
Ugo;18:00;02:00;Moto
"""


def imported(folder, orders=ORDERS, riders=RIDERS, mapping=MAPPING):
    for name, text in (("o.csv", orders), ("r.csv", riders), ("map.toml", mapping)):
        (folder / name).write_text(text)
    return import_tables(folder / "o.csv", folder / "r.csv", folder / "map.toml")


def at(day, hour, minute):
    return int(datetime.datetime(2024, 5, day, hour, minute, tzinfo=zoneinfo.ZoneInfo("Europe/Rome")).timestamp())


def test_a_night_is_imported(tmp_path):
    scenario = imported(tmp_path)
    orders = [one.order for one in scenario.demand]
    assert [order.order_id for order in orders] == ["3", "1", "2"]
    assert [order.placed_at for order in orders] == [at(4, 21, 0), at(4, 23, 50), at(5, 0, 20)]
    assert [one.ready_at for one in scenario.demand] == [at(4, 21, 0) + READY_S, at(5, 0, 5), at(5, 0, 40)]
    (shift,) = scenario.catalogue.shifts
    assert (shift.start_at, shift.last_pickup_at) == (at(4, 18, 0), at(5, 2, 0))
    assert scenario.catalogue.riders[0].profile == "scooter"
    assert [store.store_id for store in scenario.catalogue.stores] == ["Roma", "Da Mario"]
    book = scenario.catalogue.places
    start = scenario.catalogue.riders[0].place
    assert (book.first[start], book.second[start]) == pytest.approx((41.89, 12.48))
    assert "1 orders name no ready time" in scenario.notes[0]


def test_an_imported_night_replays_from_its_folder(tmp_path):
    write_folder(tmp_path / "ours", imported(tmp_path))
    summary = replay(open_scenario(tmp_path / "ours"), Nearest()).summary
    assert (summary["orders"], summary["delivered"]) == (3, 3)


def test_own_names_need_no_mapping(tmp_path):
    (tmp_path / "o.csv").write_text(
        "order_id,store_lat,store_lng,lat,lng,placed_at\na,1.0,2.0,1.01,2.01,2024-05-04T12:00:00Z\n"
        "b,1.0,2.0,1.01,2.01,1714824600\n"
    )
    (tmp_path / "r.csv").write_text(
        "rider_id,lat,lng,start_at,end_at\nx,1.0,2.0,2024-05-04T10:00:00+00:00,2024-05-04T20:00:00+00:00\n"
    )
    scenario = import_tables(tmp_path / "o.csv", tmp_path / "r.csv")
    assert [one.order.placed_at for one in scenario.demand] == [1_714_824_000, 1_714_824_600]
    assert [store.store_id for store in scenario.catalogue.stores] == ["1.000000,2.000000"]


def test_instants_may_have_a_format_of_their_own(tmp_path):
    scenario = imported(
        tmp_path,
        orders=ORDERS.replace("21:00", "04.05.2024 21h00"),
        mapping='instants = "%d.%m.%Y %Hh%M"\n' + MAPPING,
    )
    assert scenario.demand[0].order.placed_at == at(4, 21, 0)


BAD = [
    ({"orders": ORDERS.replace("Ordered", "When")}, "no column Ordered", "o.csv", "Ordered"),
    ({"orders": ORDERS.replace("23:50", "25h")}, "not an instant", "o.csv", "Ordered"),
    ({"orders": ORDERS.replace("21:00;", "21:00;20:30")}, "before the placement", "o.csv", "Ready"),
    ({"orders": ORDERS.replace("2;Da", "1;Da")}, "already on line", "o.csv", "No"),
    ({"riders": RIDERS.replace("Moto", "Tram")}, "no profile", "r.csv", "Vehicle"),
    ({"riders": "Name;From;To;Vehicle\n"}, "there are no riders", "r.csv", None),
    ({"mapping": MAPPING.replace("order_id", "order_nr")}, "no field order_nr", "map.toml", "orders.order_nr"),
    ({"mapping": "colour = 3\n" + MAPPING}, "no key colour", "map.toml", "colour"),
    ({"mapping": MAPPING + '[settings]\n"rules.round" = 3\n'}, "no setting", "map.toml", "rules.round"),
]


@pytest.mark.parametrize(("files", "message", "file", "field"), BAD, ids=[case[1] + case[2] for case in BAD])
def test_bad_tables_are_named(tmp_path, files, message, file, field):
    with pytest.raises(InvalidInput, match=message) as found:
        imported(tmp_path, **files)
    assert found.value.details["file"].endswith(file)
    assert found.value.details.get("field") == field


def test_the_line_is_named_in_the_words_of_the_file(tmp_path):
    with pytest.raises(InvalidScenario) as found:
        imported(tmp_path, orders=ORDERS.replace("41.91", "north"))
    assert found.value.details == {"file": str(tmp_path / "o.csv"), "line": 2, "field": "Lat"}
