"""Tables that cannot be meant: refused with file, line and field, or taken with a note that has numbers."""

from __future__ import annotations

import csv
import datetime
import io
import zoneinfo
from itertools import pairwise
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routing.errors import HalfhourError, InvalidInput
from sim.sources import open_scenario
from sim.sources.folder_writer import write_folder
from sim.sources.table import import_tables

ZONE = zoneinfo.ZoneInfo("Pacific/Auckland")
MAPPING = 'time_zone = "Pacific/Auckland"\nday = 2025-07-16\n'
ORDER = {
    "order_id": "", "store_id": "", "store_lat": "", "store_lng": "", "lat": "", "lng": "", "placed_at": "",
    "ready_at": "", "due_at": "", "cancelled_at": "",
}  # fmt: skip
STORES = {"quay": ("-41.285", "174.777"), "aro": ("-41.296", "174.766"), "oriental": ("-41.291", "174.794")}


def clock(minute):
    """The time of day so many minutes after 17:00."""
    return f"{(17 * 60 + minute) // 60 % 24:02d}:{minute % 60:02d}"


def day(count=9, begin=0):
    """Orders of an evening in Wellington, a store after the other, five minutes apart."""
    rows = []
    for k in range(count):
        store = list(STORES)[k % 3]
        lat, lng = STORES[store]
        at = begin + 5 * k
        rows.append(
            ORDER
            | {"order_id": f"w{k}", "store_id": store, "store_lat": lat, "store_lng": lng}
            | {"lat": f"{-41.280 - 0.002 * k:.3f}", "lng": f"{174.760 + 0.003 * k:.3f}"}
            | {"placed_at": clock(at), "ready_at": clock(at + 11), "due_at": clock(at + 35)}
        )
    return rows


def crew(*names, **cells):
    """Riders from 16:00 to 22:00."""
    return [
        {"rider_id": name, "lat": "-41.290", "lng": "174.778", "start_at": "16:00", "end_at": "22:00", **cells}
        for name in names or ("kim", "lee")
    ]


def text_of(rows):
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def imported(folder, orders=None, riders=None, mapping=MAPPING):
    orders, riders = orders or day(), riders or crew()
    tables = {"o.csv": orders, "r.csv": riders}
    for name, rows in tables.items():
        (folder / name).write_text(rows if isinstance(rows, str) else text_of(rows))
    (folder / "map.toml").write_text(mapping)
    return import_tables(folder / "o.csv", folder / "r.csv", folder / "map.toml")


def changed(rows, where, **cells):
    """The rows, `cells` laid over those that `where` names by number."""
    return [row | cells if k in where else row for k, row in enumerate(rows)]


def refusal(folder, **tables):
    with pytest.raises(InvalidInput) as found:
        imported(folder, **tables)
    file = found.value.details["file"].rsplit("/", 1)[-1]
    return str(found.value), file, found.value.details.get("line"), found.value.details.get("field")


def dated(rows, fields, pattern, on=datetime.date(2025, 7, 16)):
    """The rows with times of day written as instants of a date."""

    def written(cell):
        hour, minute = map(int, cell.split(":"))
        return datetime.datetime.combine(on, datetime.time(hour, minute), ZONE).strftime(pattern)

    return [row | {field: written(row[field]) for field in fields if row[field]} for row in rows]


IN_ORDERS = ("placed_at", "ready_at", "due_at")


def test_a_day_without_doubts_has_no_notes(tmp_path):
    assert imported(tmp_path).notes == ()


# --- refused ----------------------------------------------------------------------------------------------------

REFUSED = [
    # text where a number or an instant belongs
    ({"orders": changed(day(), [4], ready_at="-inf")}, "not an instant", "o.csv", 6, "ready_at"),
    ({"orders": changed(day(), [2], due_at="nan")}, "not an instant", "o.csv", 4, "due_at"),
    ({"orders": changed(day(), [2], placed_at="1e999")}, "not an instant", "o.csv", 4, "placed_at"),
    ({"orders": changed(day(), [0], placed_at="9999-12-31T23:59:59")}, "not an instant", "o.csv", 2, "placed_at"),
    ({"orders": changed(day(), [0], placed_at="17526384000000000")}, "not an instant", "o.csv", 2, "placed_at"),
    ({"orders": changed(day(), [1], lat="nan")}, "not a finite number", "o.csv", 3, "lat"),
    ({"orders": changed(day(), [1], lat="-41,28")}, "with a point", "o.csv", 3, "lat"),
    ({"orders": [row | {"load_units": "two"} for row in day()]}, "not a number", "o.csv", 2, "load_units"),
    ({"orders": [row | {"load_units": "-1"} for row in day()]}, "at least 0", "o.csv", 2, "load_units"),
    ({"riders": crew(capacity_units="1e300")}, "capacity_units", "r.csv", 2, "capacity_units"),
    ({"orders": changed(day(), [3], order_id="w\t3")}, "control character", "o.csv", 5, "order_id"),
    ({"orders": changed(day(), [3], lat="-141.28")}, "outside the world", "o.csv", 5, "lat, lng"),
    # rows and headers
    ({"orders": text_of(day()).replace("ready_at,due_at", "lat,due_at", 1)}, "two columns", "o.csv", 1, "lat"),
    ({"orders": text_of(changed(day(), [3], cancelled_at="18:00")).replace("w3,", "w3,x,", 1)}, "11 cells",
     "o.csv", 5, None),
    ({"orders": text_of(day()).replace("placed_at", "place_at", 1)}, "Is place_at meant", "o.csv", 1, "placed_at"),
    ({"riders": [*crew("kim"), *crew("kim", capacity_units="3")][::-1] + crew("kim", capacity_units="4")},
     "'3' on line 2 and '4' here", "r.csv", 4, "capacity_units"),
    ({"orders": changed(day(), [6], store_lat="-41.385")}, "11.1 km from where line 2", "o.csv", 8, "store_lat"),
    # clocks go forward on 28 September 2025, from 02:00 to 03:00
    ({"orders": changed(day(), [0], placed_at="2025-09-28T02:20:00"), "mapping": MAPPING.replace("07-16", "09-28")},
     "2025-09-28 02:20:00 does not exist", "o.csv", 2, "placed_at"),
    ({"orders": changed(day(), [0], ready_at="2025-04-06T02:20:00"), "mapping": MAPPING.replace("07-16", "04-06")},
     "2025-04-06 02:20:00 comes twice", "o.csv", 2, "ready_at"),
    # dates that disagree with the stated day
    ({"orders": dated(day(), IN_ORDERS, "%m/%d/%Y %H:%M", datetime.date(2025, 6, 7)),
      "mapping": MAPPING.replace("2025-07-16", "2025-06-07") + 'instants = "%d/%m/%Y %H:%M"\n'},
     "Day and month are exchanged", "map.toml", None, "day"),
    ({"orders": dated(day(), IN_ORDERS, "%Y-%m-%dT%H:%M", datetime.date(2025, 7, 9))},
     "the first of 9 on 2025-07-09", "map.toml", None, "day"),
    # the mapping
    ({"mapping": MAPPING + 'delimiter = ";;"\n'}, "';;' separates no cells", "map.toml", None, "delimiter"),
    ({"mapping": MAPPING + 'delimiter = ""\n'}, "separates no cells", "map.toml", None, "delimiter"),
    ({"mapping": MAPPING + "delimiter = 3\n"}, "3 is no text", "map.toml", None, "delimiter"),
    ({"mapping": MAPPING + 'delimiter = "\\""\n'}, "separates no cells", "map.toml", None, "delimiter"),
    ({"mapping": MAPPING + 'ready_s = "a quarter"\n'}, "whole number of seconds", "map.toml", None, "ready_s"),
    ({"mapping": MAPPING + "ready_s = -1\n"}, "whole number of seconds", "map.toml", None, "ready_s"),
    ({"mapping": MAPPING + "ready_s = true\n"}, "whole number of seconds", "map.toml", None, "ready_s"),
    ({"mapping": MAPPING + "[stops]\ndrop_exit = 9\n"}, "mean drop_exit_s", "map.toml", None, "stops.drop_exit"),
    ({"mapping": MAPPING + "[stops]\ndrop_exit_s = -9\n"}, "whole number", "map.toml", None, "stops.drop_exit_s"),
    ({"mapping": MAPPING + '[stops]\ndrop_exit_s = "9 s"\n'}, "whole number", "map.toml", None, "stops.drop_exit_s"),
    ({"mapping": MAPPING + "stops = 3\n"}, "must be a table", "map.toml", None, "stops"),
    ({"mapping": MAPPING + "[orders]\nlat = 3\n"}, "is no text", "map.toml", None, "orders.lat"),
    ({"mapping": MAPPING + '[orders]\nplaced = "x"\n'}, "Did you mean placed_at", "map.toml", None, "orders.placed"),
    ({"mapping": MAPPING + "dey = 2\n"}, "Did you mean day", "map.toml", None, "dey"),
    ({"mapping": MAPPING.replace("2025-07-16", '"16 July"')}, "is not a date", "map.toml", None, "day"),
    ({"mapping": MAPPING.replace("2025-07-16", "0001-01-01")}, "is no day", "map.toml", None, "day"),
    ({"mapping": MAPPING.replace("Pacific", "Atlantis")}, "no time zone", "map.toml", None, "time_zone"),
    ({"mapping": MAPPING + 'instants = "%d %d"\n'}, "no way to write", "map.toml", None, "instants"),
    ({"mapping": MAPPING + 'instants = "%H:%M"\n'}, "does not hold", "map.toml", None, "instants"),
    ({"mapping": MAPPING + 'instants = "%Y-%m-%d %I:%M"\n'}, "does not hold", "map.toml", None, "instants"),
    ({"mapping": MAPPING + 'day_begins = "five"\n'}, "no time of day", "map.toml", None, "day_begins"),
    ({"mapping": MAPPING + "[travel]\nmetres_per_minute = 3\n"}, "above 0", "map.toml", None,
     "travel.metres_per_minute"),
    ({"mapping": MAPPING + "[travel]\nmetres_per_minute = { bike = -1 }\n"}, "above 0", "map.toml", None,
     "travel.metres_per_minute"),
    ({"mapping": MAPPING + "[travel]\nmetres_per_minute = {}\n"}, "", "map.toml", None, "travel"),
    ({"mapping": MAPPING + "travel = 3\n"}, "must be a table", "map.toml", None, "travel"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tables", "words", "file", "line", "field"), REFUSED, ids=[f"{k}-{case[1]}" for k, case in enumerate(REFUSED)]
)
def test_what_cannot_be_meant_is_refused_where_it_stands(tmp_path, tables, words, file, line, field):
    message, *where = refusal(tmp_path, **tables)
    assert words in message
    assert where == [file, line, field]


# --- noted ------------------------------------------------------------------------------------------------------

SYDNEY = {"lat": "-33.87", "lng": "151.21"}
NOTED = [
    ({"riders": crew(**SYDNEY)}, "No rider starts within reach of any store: all 2 start more than 30 km away"),
    ({"riders": crew("kim") + crew("lee", **SYDNEY)}, "1 of 2 riders start more than 30 km from every store"),
    ({"orders": changed(day(), [1, 5], **SYDNEY)}, "2 of 9 doors lie more than 30 km from their store"),
    ({"orders": changed(day(), range(9), lat="-41.29", lng="174.78")}, "All 9 doors lie at one point"),
    ({"riders": crew(start_at="2025-07-17T16:00", end_at="2025-07-17T22:00")}, "No order is placed while anybody"),
    ({"riders": crew(end_at="17:20")}, "4 of 9 orders are not placed while anybody is on duty"),
    ({"orders": changed(day(), [7], store_lat="-41.2955")}, "1 stores (aro) have several places up to"),
    ({"orders": changed(day(), [0, 3], ready_at="", due_at="")}, "2 of 9 orders name no promise"),
    ({"orders": changed(day(), range(6), due_at="18:01", ready_at="18:20")}, "6 of 9 orders are promised before"),
    ({"orders": changed(day(), [8], ready_at="23:40", due_at="23:50")}, "1 of 9 orders are ready more than 4 h after"),
    ({"orders": changed(day(), [0, 1, 2], cancelled_at="18:30")}, "3 of 9 orders are cancelled"),
    ({"orders": changed(day(), [8], **{k: v for k, v in day()[7].items() if k != "order_id"})}, "1 of 9 orders repeat"),
    ({"riders": crew(capacity_units="1"), "orders": [row | {"load_units": "2"} for row in day()]}, "9 of 9 orders"),
    ({"riders": crew(start_at="02:00", end_at="22:00")}, "2 of 2 shifts are longer than 16 h"),
    ({"riders": crew("kim", "lee") + crew("mo", end_at="16:00")}, "1 of 3 shifts end when they begin"),
    ({"riders": crew("kim") + crew("kim", start_at="20:00", end_at="23:00")}, "1 shifts begin before another"),
    ({"riders": crew("kim") + crew("kim", start_at="22:30", end_at="23:00", lat="-41.300")}, "1 shifts begin else"),
    ({"orders": text_of(day()).replace("cancelled_at", "canceled_at", 1)}, "Column canceled_at is not read: is c"),
]  # fmt: skip


@pytest.mark.parametrize(("tables", "words"), NOTED, ids=[case[1] for case in NOTED])
def test_what_can_hardly_be_meant_is_noted_in_numbers(tmp_path, tables, words):
    notes = imported(tmp_path, **tables).notes
    assert [note for note in notes if words in note], notes
    assert any(letter.isdigit() for note in notes for letter in note) or "Column" in words


def test_exchanged_coordinates_are_seen(tmp_path):
    """Wellington's coordinates exchanged lie outside the world; those of Addis Ababa (9.0, 38.7) do not."""
    africa = {"store_lat": "9.01", "store_lng": "38.75", "lat": "9.02", "lng": "38.76"}
    orders = changed(changed(day(), range(9), **africa), [2, 3, 7], lat="38.76", lng="9.02")
    riders = crew("kim", lat="38.75", lng="9.01") + crew("lee", lat="9.01", lng="38.75")
    notes = imported(tmp_path, orders=orders, riders=riders).notes
    assert any("3 of 9 doors" in note and "exchanged 3 of them" in note for note in notes), notes
    assert any("1 of 2 riders" in note and "exchanged 1 of them" in note for note in notes), notes


def test_milliseconds_are_read_with_a_note(tmp_path):
    def milliseconds(cell):
        hour, minute = map(int, cell.split(":"))
        return f"{int(datetime.datetime(2025, 7, 16, hour, minute, tzinfo=ZONE).timestamp())}250"

    orders = [row | {field: milliseconds(row[field]) for field in IN_ORDERS} for row in day()]
    scenario = imported(tmp_path, orders=orders)
    assert [one.order for one in scenario.demand] == [one.order for one in imported(tmp_path).demand]
    assert scenario.notes == ("27 instants are epoch milliseconds: read as such, whole seconds.",)


def test_a_night_without_day_begins_is_told_where_it_lies(tmp_path):
    """Orders from 23:30 to 00:10, riders until two: those after midnight lie 23 hours before the others."""
    orders, riders = day(begin=390), crew(start_at="18:00", end_at="02:00")
    notes = imported(tmp_path, orders=orders, riders=riders).notes
    # 23:30, 23:35 ... 23:55 are six; 00:00, 00:05 and 00:10 are three.
    (said,) = [note for note in notes if "day_begins" in note]
    assert said.startswith("3 orders from 00:00 to 00:10") and 'day_begins = "05:00"' in said
    mended = imported(tmp_path, orders=orders, riders=riders, mapping=MAPPING + 'day_begins = "05:00"\n')
    assert mended.notes == ()
    placed = [one.order.placed_at for one in mended.demand]
    assert [b - a for a, b in pairwise(placed)] == [300] * 8


def test_the_day_of_the_first_order_is_that_of_times_without_a_date(tmp_path):
    orders = dated(day(), IN_ORDERS, "%Y-%m-%d %H:%M")
    mapping = MAPPING.replace("day = 2025-07-16\n", "")
    scenario = imported(tmp_path, orders=orders, mapping=mapping)
    assert scenario.catalogue.shifts == imported(tmp_path, orders=orders).catalogue.shifts
    assert scenario.notes == ("No day is stated: times of day are taken as those of 2025-07-16.",)


def test_several_dates_are_noted(tmp_path):
    orders = dated(day(), IN_ORDERS, "%Y-%m-%d %H:%M")
    orders += [
        row | {"order_id": f"x{k}"}
        for k, row in enumerate(dated(day(4), IN_ORDERS, "%Y-%m-%d %H:%M", datetime.date(2025, 7, 18)))
    ]
    notes = imported(tmp_path, orders=orders).notes
    assert "Orders are placed on 2 dates: 9 on 2025-07-16, 4 on 2025-07-18." in notes


def test_a_folder_is_judged_like_a_table(tmp_path):
    write_folder(tmp_path / "mine", imported(tmp_path, riders=crew(**SYDNEY)))
    assert any("No rider starts within reach" in note for note in open_scenario(tmp_path / "mine").notes)


# --- no cell breaks it ------------------------------------------------------------------------------------------

CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from([
        "nan", "inf", "-inf", "1e999", "0", "-1", "1_0", "٣", "24:00", "99:59", "999:59:59", "00:00:60", "-05:00",
        "0001-01-01", "9999-12-31", "2025-02-29", "2025-07-16", "20250716", "2025-W29-3", "17:00+25:00", "1752638400",
        "1752638400000", "1752638400.5", "1e10", "90", "-90", "180", "\x00", "a\rb", "a\nb", '"', "''", "=1+1",
        "\ufeff",
        "2025-07-16T17:00:00Z", "2025-07-16T17:00:00+99:00", "2025-07-16T17:00:00-23:59", "default", "crowd", "None",
    ]),
)  # fmt: skip


@given(
    in_orders=st.booleans(), row=st.integers(0, 8), column=st.integers(0, 99), cell=CELLS,
    stated=st.sampled_from([MAPPING, 'time_zone = "Pacific/Auckland"\n', MAPPING + 'day_begins = "05:00"\n']),
)  # fmt: skip
@example(in_orders=True, row=3, column=7, cell="NaN", stated=MAPPING)
@example(in_orders=True, row=3, column=6, cell="1752638400000", stated=MAPPING)
def test_no_text_in_any_cell_is_a_traceback(tmp_path_factory, in_orders, row, column, cell, stated):
    """Whatever a cell holds: a typed error with file, or a folder that reads as what was imported."""
    folder = tmp_path_factory.mktemp("cells")
    tables = {"orders": [one | {"load_units": "1"} for one in day()], "riders": crew("kim", "lee", profile="default")}
    rows = tables["orders" if in_orders else "riders"]
    rows[row % len(rows)][list(rows[0])[column % len(rows[0])]] = cell
    try:
        scenario = imported(folder, **tables, mapping=stated)
    except HalfhourError as problem:
        assert problem.details["file"] and problem.message
        return
    write_folder(folder / "made", scenario, reread=True)
    again = open_scenario(folder / "made")
    assert [one.order for one in again.demand] == [one.order for one in scenario.demand]
    assert again.catalogue.shifts == scenario.catalogue.shifts


VALUES = st.one_of(
    st.text(max_size=8), st.integers(), st.floats(), st.booleans(), st.dates(), st.datetimes(), st.none(),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2), st.lists(st.integers(), max_size=2),
)  # fmt: skip


@given(
    key=st.sampled_from([
        "name", "attribution", "time_zone", "day", "day_begins", "instants", "delimiter", "ready_s", "preset", "orders",
        "riders", "profiles", "travel", "stops", "settings", "orders.lat", "riders.start_at", "profiles.x",
        "travel.kind", "travel.detour", "travel.metres_per_minute", "travel.file", "stops.store_enter_s",
        "settings.rules",
    ]),
    value=VALUES,
)  # fmt: skip
def test_no_value_in_a_mapping_is_a_traceback(tmp_path_factory, key, value):
    folder = tmp_path_factory.mktemp("keys")
    table, _, inner = key.partition(".")
    stated = {"time_zone": "Pacific/Auckland", table: {inner: value} if inner else value}
    try:
        with mock.patch("sim.sources.mapping.tomllib.loads", return_value=stated):
            scenario = imported(folder)
    except HalfhourError as problem:
        assert problem.details["file"] and problem.message
        return
    write_folder(folder / "made", scenario, reread=True)
