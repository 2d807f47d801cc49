"""Our own scenario folder: what is written is read again, and what is wrong is named."""

from __future__ import annotations

import csv
import dataclasses
import json
import tomllib

import numpy as np
import pytest

from dispatch.inputs import StoreClosed, StoreOpened
from dispatch.model import Engagement, Zone
from dispatch.policies.nearest import Nearest
from dispatch.record.catalogue import Catalogue, Pay
from dispatch.record.run_folder import OutputExists
from dispatch.record.travel_spec import MatrixSpec, StraightSpec
from dispatch.settings.settings import Settings
from routing.errors import InvalidInput, UnreadableFile
from sim.replay.replay import replay
from sim.scenario import Reality
from sim.sources import open_scenario
from sim.sources.folder_writer import write_folder
from sim.sources.rows import InvalidScenario
from tests.kit.days import read_day, write_day
from tests.kit.folders import ORDERS, RIDERS, STORES, TOML, at, hours_of, written


def test_a_folder_is_read(tmp_path):
    scenario = open_scenario(written(tmp_path))
    catalogue = scenario.catalogue
    anna, ben = catalogue.riders
    first, second = (one.order for one in scenario.demand)
    assert catalogue.name == "corner"
    assert catalogue.begin_at == at("10:00")
    assert [(shift.rider_id, shift.start_at, shift.last_pickup_at, shift.end_at) for shift in catalogue.shifts] == [
        ("anna", at("10:00"), at("14:00"), at("14:30")),
        ("anna", at("18:00"), at("1:30", day=5), None),
        ("ben", at("10:00"), 1_714_840_000, None),
    ]
    assert (anna.profile, ben.engagement) == ("bike", Engagement.CROWD)
    assert (first.order_id, first.placed_at, first.expected_ready_at) == ("a", at("10:55") + 30, at("11:10"))
    assert (first.due_at, first.load_units) == (at("11:30"), 1)
    assert (second.order_id, second.expected_ready_at, second.due_at) == ("b", at("11:15"), at("11:35"))
    assert [one.ready_at for one in scenario.demand] == [at("11:10"), at("11:20")]
    assert [one.cancelled_at for one in scenario.demand] == [at("11:00"), None]
    kiosk, bakery = catalogue.stores
    assert kiosk.opens_at == at("9:00")
    assert [int(catalogue.places.enter_s[store.place]) for store in (kiosk, bakery)] == [60, 75]
    assert [store.mean_ready_s for store in (kiosk, bakery)] == [900, 870]
    assert scenario.reality.travel_sigma == 0.2
    assert catalogue.settings == Settings().with_values({"rules.round_s": 30})


def test_a_folder_is_written_with_every_setting_and_its_presets_name(tmp_path):
    text = TOML.replace("[settings]", '[settings]\npreset = "thrifty"')
    scenario = open_scenario(written(tmp_path, **{"scenario.toml": text}))
    settings = scenario.catalogue.settings
    assert scenario.notes == ()
    assert settings.preset == "thrifty" and settings.prices.work_per_s == 100 and settings.rules.round_s == 30
    write_folder(tmp_path / "again", scenario)
    stated = tomllib.loads((tmp_path / "again" / "scenario.toml").read_text())
    assert stated["format"] == 3 and stated["settings"] == settings.flat()
    assert open_scenario(tmp_path / "again").catalogue.settings == settings


def test_a_preset_may_stand_at_the_top(tmp_path):
    top = open_scenario(written(tmp_path / "top", **{"scenario.toml": 'preset = "door"\n' + TOML}))
    below = TOML.replace("[settings]", '[settings]\npreset = "door"')
    among = open_scenario(written(tmp_path / "among", **{"scenario.toml": below}))
    assert top.catalogue.settings == among.catalogue.settings and top.catalogue.settings.preset == "door"


def test_a_preset_named_twice_is_refused(tmp_path):
    text = 'preset = "door"\n' + TOML.replace("[settings]", '[settings]\npreset = "thrifty"')
    with pytest.raises(InvalidScenario, match="named twice") as found:
        open_scenario(written(tmp_path, **{"scenario.toml": text}))
    assert found.value.details["field"] == "settings.preset" and found.value.details["file"].endswith("scenario.toml")


def test_a_missing_format_is_not_guessed(tmp_path):
    with pytest.raises(InvalidScenario, match="the format is missing") as found:
        open_scenario(written(tmp_path, **{"scenario.toml": TOML.replace("format = 2", "")}))
    assert "format = 1" in found.value.hint and "format = 3" in found.value.hint


def test_a_single_setting_beside_a_preset_wins_and_is_noted(tmp_path):
    text = TOML.replace("[settings]", '[settings]\npreset = "thrifty"\n"prices.work_per_s" = 9')
    scenario = open_scenario(written(tmp_path, **{"scenario.toml": text}))
    assert scenario.catalogue.settings.prices.work_per_s == 9
    assert scenario.notes == ("prices.work_per_s = 9 stands, not 100 of the preset thrifty.",)


def test_a_folder_of_format_1_leaves_out_what_0_1_0_had_as_default(tmp_path):
    text = TOML.replace("format = 2", "format = 1")
    scenario = open_scenario(written(tmp_path, **{"scenario.toml": text}))
    assert scenario.catalogue.settings == Settings.stated({"rules.round_s": 30})


@pytest.mark.parametrize(
    "stated",
    [
        '"prices.promise" = false\n"prices.late_after_s" = 3300\n',
        '"prices.promise" = false\n"prices.late_after_s" = 2700\n"rules.promise_s" = 1200\n',
        '"prices.late_after_s" = 2700\n',
        '"prices.fail_after_s" = 3600\n',
        '"rules.max_batch" = 15\n"prices.skip" = 10000000000000\n',
    ],
)
def test_what_was_lawful_in_0_1_0_is_read_without_false_remarks(tmp_path, stated):
    """A threshold counts in these folders, whatever counts where nobody states anything today."""
    text = TOML.replace("format = 2", "format = 1").replace("[settings]", f"[settings]\n{stated}")
    notes = open_scenario(written(tmp_path, **{"scenario.toml": text})).notes
    assert not any("does nothing" in note or "lies behind" in note for note in notes)


def test_what_is_written_is_read_again(tmp_path):
    scenario = open_scenario(written(tmp_path))
    rich = dataclasses.replace(
        scenario,
        catalogue=dataclasses.replace(
            scenario.catalogue,
            zones=(Zone("harbour", ((60.1, 24.9), (60.2, 24.9), (60.2, 25.0))),),
            pay=Pay(per_order=3.5, guaranteed_per_hour=12.0),
            attribution='"quoted" and ä',
        ),
        news=(StoreClosed(at=at("12:00"), store_id="kiosk"), StoreOpened(at=at("13:00"), store_id="kiosk")),
        reality=Reality(travel_sigma=0.1, absent_share=0.05, travel=StraightSpec({"bike": 200.0}, detour=1.5)),
    )
    write_folder(tmp_path / "again", rich)
    again = open_scenario(tmp_path / "again" / "scenario.toml")
    assert again.catalogue.digest == rich.catalogue.digest
    assert (again.demand, again.news, again.reality) == (rich.demand, rich.news, rich.reality)


def test_kinds_of_order_are_read_and_written_and_no_column_where_there_are_none(tmp_path):
    header, first, second = ORDERS.strip().split("\n")
    named = f"{header},goods_class,tier\n{first},grocery,gold\n{second},,\n"
    toml = TOML.replace("[settings]", '[settings]\n"rules.tiers" = "gold: promise 900"')
    folder = written(tmp_path / "named", **{"orders.csv": named, "scenario.toml": toml})
    scenario = open_scenario(folder)
    kinds = {one.order.order_id: (one.order.goods_class, one.order.tier) for one in scenario.demand}
    assert sorted(kinds.values()) == [("", ""), ("grocery", "gold")]
    write_folder(tmp_path / "again", scenario)
    assert open_scenario(tmp_path / "again").demand == scenario.demand
    write_folder(tmp_path / "plain", open_scenario(written(tmp_path / "none")))
    text = (tmp_path / "plain" / "orders.csv").read_text() + (tmp_path / "plain" / "stores.csv").read_text()
    assert "tier" not in text and "goods_class" not in text


def test_doors_are_read_and_written_and_no_column_where_there_are_none(tmp_path):
    header, first, second = ORDERS.strip().split("\n")
    named = f"{header},door\n{first},d-1~2\n{second},\n"
    scenario = open_scenario(written(tmp_path, **{"orders.csv": named}))
    assert {one.order.order_id: one.order.door for one in scenario.demand} == {"a": "", "b": "d-1~2"}
    write_folder(tmp_path / "again", scenario)
    assert open_scenario(tmp_path / "again").demand == scenario.demand
    write_folder(tmp_path / "plain", open_scenario(written(tmp_path)))
    assert "door" not in (tmp_path / "plain" / "orders.csv").read_text()


def test_access_points_are_read_and_written_and_no_column_where_there_are_none(tmp_path):
    fields = ("access_lat", "access_lng")
    plain = open_scenario(written(tmp_path / "plain"))
    write_folder(tmp_path / "plain-again", plain)
    heads = [(tmp_path / "plain-again" / name).read_text().splitlines()[0] for name in ("stores.csv", "orders.csv")]
    assert not any(field in head for head in heads for field in fields)
    others, one, *more = ORDERS.splitlines()
    columns = others.split(",")
    lat, lng = (one.split(",")[columns.index(name)] for name in ("lat", "lng"))
    orders = "\n".join([f"{others},access_lat,access_lng", f"{one},{lat},{lng}", *(f"{line},," for line in more)])
    scenario = open_scenario(written(tmp_path, **{"orders.csv": orders}))
    write_folder(tmp_path / "again", scenario)
    for each in (scenario, open_scenario(tmp_path / "again")):
        places = each.catalogue.places
        given = {d.order.order_id: places.access_of(d.order.drop_place) for d in each.demand}
        wanted = one.split(",")[columns.index("order_id")]
        assert {name for name, access in given.items() if access is not None} == {wanted}
        assert given[wanted] == (float(lat), float(lng))
    again = Catalogue.read(_kept(scenario.catalogue, tmp_path / "catalogue.json"))
    assert again.digest == scenario.catalogue.digest != plain.catalogue.digest
    assert "access" not in plain.catalogue.described()["places"]


def test_an_access_point_far_from_its_place_is_named(tmp_path):
    head, one, *more = ORDERS.splitlines()
    orders = "\n".join([f"{head},access_lat,access_lng", f"{one},0.5,0.5", *(f"{line},," for line in more)])
    with pytest.raises(InvalidScenario) as caught:
        open_scenario(written(tmp_path, **{"orders.csv": orders}))
    assert (caught.value.details["line"], caught.value.details["field"]) == (2, "access_lat, access_lng")


def _kept(catalogue, path):
    catalogue.write(path)
    return path


def test_a_published_day_in_our_own_folder_is_the_same_day(tmp_path):
    scenario = read_day(write_day(tmp_path / "day", 8))
    write_folder(tmp_path / "ours", scenario)
    again = open_scenario(tmp_path / "ours")
    digests = [replay(version, Nearest()).summary["decision_digest"] for version in (scenario, again)]
    assert digests[0] == digests[1]


def test_a_travel_matrix_comes_along(tmp_path):
    seconds = np.array([[[0, 300, 400], [310, 0, 200], [410, 210, 0]]], dtype=float)
    np.savez(tmp_path / "ways.npz", profiles=np.array(["bike"]), seconds=seconds)
    toml = TOML.replace(
        'kind = "straight"\ndetour = 1.3\nmetres_per_minute = { bike = 250.0 }', 'kind = "matrix"\nfile = "ways.npz"'
    )
    rows = {
        "stores.csv": "store_id,lat,lng,matrix_row\nkiosk,60.17,24.94,0\n",
        "riders.csv": "rider_id,lat,lng,profile,start_at,last_pickup_at,matrix_row\na,60.16,24.93,bike,10:00,14:00,1\n",
        "orders.csv": "order_id,store_id,lat,lng,placed_at,ready_at,matrix_row\na,kiosk,60.175,24.941,11:05,11:20,2\n",
    }
    scenario = open_scenario(written(tmp_path, **{"scenario.toml": toml, **rows}))
    write_folder(tmp_path / "again", scenario)
    again = open_scenario(tmp_path / "again")
    assert isinstance(again.catalogue.travel, MatrixSpec)
    assert replay(again, Nearest()).summary["delivered"] == 1
    assert again.catalogue.places.matrix_row.tolist() == [0, 1, 2]


RAUND, SIGMO = TOML.replace('"rules.round_s"', '"rules.raund_s"'), TOML.replace("travel_sigma", "travel_sigmo")
LEAVE = TOML.replace("[stops]", "[stops]\nstore_leave_s = 3")
BAD = [
    ("scenario.toml", RAUND, "no setting", "rules.raund_s", "rules.round_s"),
    ("scenario.toml", SIGMO, "no travel_sigmo", "truth.travel_sigmo", "travel_sigma"),
    ("scenario.toml", TOML.replace("0.2", "-0.2"), "negative", "truth.travel_sigma", ""),
    ("scenario.toml", TOML.replace("Europe/Helsinki", "Mars/Base"), "no time zone", "time_zone", "IANA"),
    ("scenario.toml", TOML.replace("format = 2", "format = 1").replace("[settings]", '[settings]\npreset = "door"'),
     "knows no presets", "settings.preset", "format = 3"),
    ("scenario.toml", TOML.replace("[settings]", '[settings]\npreset = "on-time"'), "no preset 'on-time'", "preset",
     "on_time"),
    ("scenario.toml", TOML.replace("format = 2", "format = 9"), "format 9", "format", "format = 3"),
    ("scenario.toml", TOML.replace('name = "corner"', 'nome = "corner"'), "no key nome", "nome", "name"),
    ("scenario.toml", TOML.replace("straight", "teleport"), "teleport", "travel.kind", "roads"),
    ("scenario.toml", LEAVE, "no store_leave_s", "stops.store_leave_s", ""),
    ("stores.csv", STORES.replace("60.17,", "160.17,"), "outside the world", "lat, lng", "latitude first"),
    ("stores.csv", STORES.replace("bakery,", "kiosk,"), "already on line 2", "store_id", ""),
    ("stores.csv", hours_of("18:00,2024-05-04T17:00:00+03:00,"), "closes before", "closes_at", "02:00"),
    ("stores.csv", hours_of("18:00,18:00,"), "closes before it opens", "closes_at", "02:00"),
    ("stores.csv", hours_of("18:00,,Mo-Su 18:00-22:00"), "said twice", "hours", "or hours"),
    ("stores.csv", hours_of(",,Mo 10-12"), "no day, date or time", "hours", "Mo-Fr 11:00"),
    ("riders.csv", RIDERS.replace("10:00,14:00", "15:00,14:00"), "ends before it starts", "last_pickup_at", ""),
    ("riders.csv", RIDERS.replace("10:00,14:00", "soon,14:00"), "'soon' is not an instant", "start_at", "18:05:30"),
    ("riders.csv", RIDERS.replace("crowd", "robot"), "no engagement", "engagement", "employed or crowd"),
    ("riders.csv", RIDERS.replace("24.93,bike", "24.93,tram"), "travels as 'tram'", "profile", "bike"),
    ("riders.csv", RIDERS.replace("anna,,,", "anna,60.1,24.9,"), "came before", "lat", ""),
    ("orders.csv", ORDERS.replace("b,kiosk", "b,kiosq"), "no store kiosq", "store_id", ""),
    ("orders.csv", ORDERS.replace("11:05,11:20", "11:05,11:01"), "ready before it is placed", "ready_at", ""),
    ("orders.csv", ORDERS.replace(",2,", ",2.5,"), "whole number", "load_units", ""),
    ("orders.csv", ORDERS.replace("cancelled_at", "goods_class").replace("11:00", "x"), "no class", "goods_class", ""),
    ("orders.csv", ORDERS.replace("cancelled_at", "tier").replace("11:00", "gold"), "no tier", "tier", "names none"),
    ("orders.csv", ORDERS.replace("cancelled_at", "door").replace("11:00", "Main St. 7"), "no name", "door", "letters"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "message", "field", "hint"), BAD, ids=[case[2] for case in BAD])
def test_bad_input_is_named(tmp_path, name, text, message, field, hint):
    with pytest.raises(InvalidInput, match=message) as found:
        open_scenario(written(tmp_path, **{name: text}))
    assert found.value.details["file"].endswith(name)
    assert found.value.details["field"] == field
    assert hint in found.value.hint


FAR = "2031-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("file", "column", "value"),
    [
        ("orders.csv", "due_at", FAR),
        ("orders.csv", "expected_ready_at", FAR),
        ("orders.csv", "release_at", FAR),
        ("orders.csv", "earliest_drop_at", FAR),
        ("orders.csv", "ready_at", FAR),
        ("orders.csv", "cancelled_at", FAR),
        ("orders.csv", "load_units", 2**31),
        ("orders.csv", "max_on_board_s", 2**40),
        ("orders.csv", "priority", 101),
        ("orders.csv", "needs", 2**62),
        ("orders.csv", "enter_s", 2**31),
        ("riders.csv", "capacity_units", 2**40),
        ("riders.csv", "provides", 2**62),
        ("riders.csv", "end_at", FAR),
        ("stores.csv", "exit_s", 2**40),
        ("stores.csv", "mean_ready_s", 2**40),
        ("stores.csv", "closes_at", FAR),
    ],
)
def test_what_the_engine_cannot_hold_is_refused_by_its_cell(tmp_path, file, column, value):
    write_folder(tmp_path / "day", open_scenario(written(tmp_path / "first")))
    path = tmp_path / "day" / file
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[0] = {name: cell for name, cell in rows[0].items() if name != "hours"} | {column: str(value)}
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(InvalidScenario) as found:
        open_scenario(tmp_path / "day")
    assert found.value.details["field"] == column and found.value.details["line"] == 2, found.value.message
    assert found.value.details["file"].endswith(file)


def test_news_that_the_engine_cannot_hold_are_refused_by_their_line(tmp_path):
    folder = written(tmp_path)
    news = {"kind": "StoreThrottled", "at": at("11:00"), "store_id": "kiosk", "delay_s": 2**40}
    (folder / "news.jsonl").write_text(json.dumps(news) + "\n")
    with pytest.raises(InvalidScenario, match="delay_s must lie between") as found:
        open_scenario(folder)
    assert found.value.details["line"] == 1


def test_a_toml_that_cannot_be_parsed_is_named(tmp_path):
    with pytest.raises(UnreadableFile, match=r"line 2") as found:
        open_scenario(written(tmp_path, **{"scenario.toml": "format = 2\nname = corner\n"}))
    assert found.value.details["file"].endswith("scenario.toml")


def test_news_must_be_of_the_world(tmp_path):
    text = '{"kind":"StopArrived","at":1714840000,"rider_id":"anna","stop_id":"x","happened_at":1714840000}\n'
    with pytest.raises(InvalidScenario, match="no news of the world"):
        open_scenario(written(tmp_path, **{"news.jsonl": text}))


def test_a_folder_is_not_overwritten(tmp_path):
    scenario = open_scenario(written(tmp_path))
    with pytest.raises(OutputExists):
        write_folder(tmp_path, scenario)
    target = tmp_path / "out"
    write_folder(target, scenario)
    (target / "mine.txt").write_text("x")
    write_folder(target, scenario, force=True)
    assert sorted(path.name for path in target.iterdir()) == ["orders.csv", "riders.csv", "scenario.toml", "stores.csv"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
