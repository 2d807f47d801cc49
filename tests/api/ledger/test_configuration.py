"""A configuration over a ledger that has begun: refused, journalled, or kept out and said; never taken in silence."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from api.application import create_app
from api.config import GIVE_UP, GIVE_UP_S, Config, read_config
from api.http.transport.server import Server, configured
from api.ledger.configuration import Misfit, NewerLedger, completed, differences
from api.ledger.protocol import Write
from api.ledger.sqlite.reader import SqliteReader
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.upkeep.verifying import verify
from dispatch.board.board import Board
from dispatch.codec import SCHEMA_VERSION
from dispatch.engine.engine import Engine
from dispatch.errors import CorruptJournal, InvalidSetting, Refused
from dispatch.inputs import NeedsListed, OrderPlaced
from dispatch.settings.settings import Settings, schema
from dispatch.version import __version__
from halfhour.commands import main
from routing.places import PlaceBook
from tests.halfhour.test_golden import FIRST, MEANT
from tests.kit.service.running import SolvesHere, order, running, with_city

pytestmark = pytest.mark.anyio
NEEDS = ("cool_box", "large_bag")
TWO = {"kind": "straight", "metres_per_minute": {"default": 250.0, "scooter": 400.0}}
ONE = {"kind": "straight", "metres_per_minute": {"default": 250.0}}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A ledger folder of 0.1.0."""
    folder = tmp_path / "old"
    shutil.copytree(FIRST / "ledger", folder)
    with sqlite3.connect(folder / "ledger.sqlite") as database:
        database.executescript((folder / "ledger.sql").read_text())
    database.close()
    return folder


async def begun(folder: Path, **more: Any) -> None:
    """A city with a rider and an order that need a bag."""
    async with running(folder, needs=NEEDS, travel=TWO, **more) as run:
        await with_city(run, profile="scooter", provides=["large_bag"])
        assert (await run.orders.post("/v1/deliveries", json=order(needs=["large_bag"]))).status_code == 201


def state(folder: Path) -> tuple[int, Any, Any]:
    reader = SqliteReader(folder)
    found = reader.head(), reader.header(), reader.value("travel")
    reader.close()
    return found


async def test_a_name_put_in_front_changes_no_rider_and_no_order(tmp_path: Path) -> None:
    await begun(tmp_path)
    for _ in range(2):
        async with running(tmp_path, needs=("ladder", *NEEDS), travel=TWO) as run:
            assert (await run.riders.get("/v1/riders/r1")).json()["provides"] == ["large_bag"]
            assert (await run.orders.get("/v1/deliveries/o1")).json()["needs"] == ["large_bag"]
            assert run.host.board.needs == (*NEEDS, "ladder")
            answer = await run.riders.put("/v1/riders/r1", json=RIDER | {"provides": ["ladder", "cool_box"]})
            assert answer.json()["provides"] == ["cool_box", "ladder"]
            await run.riders.put("/v1/riders/r1", json=RIDER | {"provides": ["large_bag"]})
    assert verify(tmp_path).entries == state(tmp_path)[0]


RIDER = {"location": {"lat": 48.138, "lng": 11.576}, "profile": "scooter"}


async def test_a_need_that_is_no_longer_named_stays_with_those_who_have_it_and_is_said(tmp_path: Path) -> None:
    await begun(tmp_path)
    async with running(tmp_path, needs=("cool_box",), travel=TWO) as run:
        assert (await run.riders.get("/v1/riders/r1")).json()["provides"] == ["large_bag"]
        assert (await run.orders.post("/v1/deliveries", json=order("o2", needs=["large_bag"]))).status_code == 422
        assert differences(run.host.board, run.service.config) == [
            "large_bag can no longer be asked for; riders and orders that have it keep it"
        ]


def test_a_list_of_needs_grows_at_its_end_only() -> None:
    engine = Engine(PlaceBook("wgs84"), Settings())
    engine.handle(NeedsListed(at=1, names=NEEDS))
    assert engine.handle(NeedsListed(at=1, names=NEEDS)) == ()
    wrong = [("large_bag", "cool_box"), ("cool_box",), (*NEEDS, "cool_box"), (*NEEDS, *map(str, range(61)))]
    for names in wrong:
        with pytest.raises(Refused, match="at its end"):
            engine.handle(NeedsListed(at=2, names=names))
    assert Board.load(engine.board.places, engine.board.dump()).needs == NEEDS


@pytest.mark.parametrize(
    ("given", "message", "field"),
    [
        ({"travel": ONE}, "1 riders of the ledger travel as 'scooter'.*r1", "travel"),
        ({"travel": TWO, "frame": "plane"}, "in the frame 'wgs84'.*'plane'", "service.frame"),
        ({"travel": TWO, "needs": tuple(f"n{k}" for k in range(61))}, "more than 62 needs", "service.needs"),
    ],
)
async def test_what_does_not_fit_is_refused_and_nothing_is_written(
    tmp_path: Path, given: dict[str, Any], message: str, field: str
) -> None:
    await begun(tmp_path)
    before = state(tmp_path)
    with pytest.raises(Misfit, match=message) as found:
        async with running(tmp_path, **({"needs": NEEDS} | given)):
            pass
    assert found.value.details["field"] == field and found.value.hint
    assert state(tmp_path) == before


async def test_settings_of_the_file_open_an_empty_ledger_and_are_said_over_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await begun(tmp_path, engine={"preset": "door", "rules.round_s": 20})
    async with running(tmp_path, needs=NEEDS, travel=TWO, engine={"preset": "thrifty", "rules.round_s": 30}) as run:
        settings = run.host.board.settings
        assert (settings.preset, settings.rules.round_s, settings.prices.work_per_s) == ("door", 20, 10)
        said = differences(run.host.board, run.service.config)
        assert said == [
            "the ledger goes on under the preset door, not thrifty; to change it: halfhour admin preset thrifty",
            "the ledger keeps rules.round_s = 20, not 30; to change it: halfhour admin setting rules.round_s 30",
        ]
        assert all(sentence in caplog.messages for sentence in said)
    async with running(tmp_path, needs=NEEDS, travel=TWO, engine={"preset": "door", "rules.round_s": 20}) as run:
        assert differences(run.host.board, run.service.config) == []


async def test_a_configuration_that_contradicts_itself_is_said_when_it_opens_a_ledger(tmp_path: Path) -> None:
    engine = {"preset": "thrifty", "prices.late_fixed": 5}
    for said in (["prices.late_fixed = 5 stands, not 90000 of the preset thrifty."], []):
        async with running(tmp_path, engine=engine) as run:
            assert run.service.notes == said
            assert run.host.board.settings == Settings().with_values({GIVE_UP: GIVE_UP_S, **engine})


async def test_thresholds_in_the_wrong_order_open_no_ledger_and_stop_none_that_has_settings(tmp_path: Path) -> None:
    """A file of 0.1.0 may count from the placement: beside what ships, its thresholds are in the wrong order."""
    engine = {"prices.promise": False, "prices.late_after_s": 3300}
    with pytest.raises(InvalidSetting, match="lies behind"):
        async with running(tmp_path, engine=engine):
            pass
    async with running(tmp_path, engine={}):
        pass
    async with running(tmp_path, engine=engine) as run:
        said = differences(run.host.board, run.service.config)
        assert any("prices.late_after_s = 2400, not 3300" in one for one in said)


async def test_a_setting_that_is_read_at_start_is_taken_by_an_input(tmp_path: Path) -> None:
    await begun(tmp_path)
    async with running(tmp_path, needs=NEEDS, travel=TWO, engine={"search.threads": 2}) as run:
        assert run.host.board.settings.search.threads == 2
        assert differences(run.host.board, run.service.config) == []
    reader = SqliteReader(tmp_path)
    said = [entry.input for entry in reader.entries() if entry.input["kind"] == "SettingChanged"]
    reader.close()
    assert [(item["key"], item["value"]) for item in said] == [("search.threads", "2")]


async def test_a_ledger_of_0_1_0_goes_on_as_it_was_and_is_of_this_version_from_then_on(old: Path) -> None:
    config = read_config(FIRST / "service.toml")
    service = config.service.model_dump(include={"store_enter_s", "store_exit_s", "drop_enter_s", "drop_exit_s"})
    for needs in (config.service.needs, ("ladder", *config.service.needs)):
        async with running(old, engine=config.engine, travel=config.travel, needs=needs, **service) as run:
            board = run.host.board
            assert board.settings == Settings.stated(MEANT["settings"]["ledger"])
            assert (await run.riders.get("/v1/riders/r1")).json()["provides"] == ["large_bag"]
            assert (await run.orders.get("/v1/deliveries/o2")).json()["needs"] == ["cool_box"]
            # The one thing that the file says and that was changed since is said.
            assert differences(board, run.service.config) == []
    _, header, _ = state(old)
    last = 23  # entry of the ledger as 0.1.0 left it
    assert header["schema"] == SCHEMA_VERSION
    assert header["upgraded_from"] == {"schema": 2, "code_version": "test", "head": last}
    opened = Settings.stated(MEANT["settings"]["ledger"] | {"rules.max_batch": 4})
    assert header["settings"] == opened.flat(), "every setting by value"


def test_what_0_1_0_decided_otherwise_is_counted_and_what_this_version_decided_otherwise_is_refused(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = Engine.decide

    def forgetful(engine: Engine, item: Any) -> Any:
        decided = decide(engine, item)
        return () if isinstance(item, OrderPlaced) else decided

    ledger = SqliteLedger(old)
    ledger.append(Write(extra=(("header", completed(ledger.header(), __version__, ledger.head())),))).result()
    header = ledger.header()
    ledger.close()
    agreed = verify(old)
    monkeypatch.setattr(Engine, "decide", forgetful)
    found = verify(old)
    assert found.other_version > agreed.other_version
    assert found.entries + found.other_version == agreed.entries + agreed.other_version
    header["upgraded_from"]["head"] = 3
    ledger = SqliteLedger(old)
    ledger.append(Write(extra=(("header", header),))).result()
    ledger.close()
    with pytest.raises(CorruptJournal, match="decided otherwise now"):
        verify(old)


def test_a_value_of_a_ledger_is_explained(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SqliteLedger(old).close()
    for key, said in (
        ("prices.late_fixed", "0 (the default of 0.1.0)"),
        ("rules.max_batch", "3 (set singly)"),
    ):
        status, text = run(capsys, "config", "explain", key, "--of", str(old))
        assert status == 0 and f"value    {said}" in text


async def test_a_ledger_of_0_1_0_whose_needs_are_not_all_named_is_refused(old: Path) -> None:
    config = read_config(FIRST / "service.toml")
    with pytest.raises(Misfit, match="use 2 needs, the configuration names 1"):
        async with running(old, travel=config.travel, needs=("cool_box",)):
            pass


async def test_a_newer_ledger_is_refused_in_words_by_service_and_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await begun(tmp_path)
    ledger = SqliteLedger(tmp_path, None)
    later = {**ledger.header(), "schema": SCHEMA_VERSION + 1, "code_version": "9.0"}
    ledger.append(Write(extra=(("header", later),))).result()
    ledger.close()
    words = rf"written by Halfhour 9.0 in schema {SCHEMA_VERSION + 1}; this version reads up to {SCHEMA_VERSION}"
    with pytest.raises(NewerLedger, match=words):
        async with running(tmp_path, needs=NEEDS, travel=TWO):
            pass
    for verb in (["journal", "verify"], ["journal", "kpis"], ["journal", "export", str(tmp_path / "day")]):
        with pytest.raises(SystemExit):
            main([*verb, "--data", str(tmp_path)])
        assert "written by Halfhour 9.0" in capsys.readouterr().err


def test_a_preset_may_stand_at_the_top_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "city.toml"
    file.write_text('preset = "door"\n[engine]\n"prices.late_fixed" = 5\n')
    said = {"preset": "door", "prices.late_fixed": 5}
    assert read_config(file).engine_settings() == Settings().with_values({GIVE_UP: GIVE_UP_S, **said})


async def test_a_server_that_cannot_begin_says_why(tmp_path: Path) -> None:
    await begun(tmp_path)
    config = Config.model_validate({"service": {"needs": NEEDS, "port": 0}, "travel": ONE})
    ledger = SqliteLedger(tmp_path)
    app = create_app(config, ledger, version="test", solver=SolvesHere())
    with pytest.raises(Misfit, match="travel as 'scooter'"):
        await Server(app, configured(app, config.service)).serve()
    ledger.close()


def test_a_wrong_preset_in_a_file_is_located(tmp_path: Path) -> None:
    file = tmp_path / "city.toml"
    file.write_text('[engine]\npreset = "thrify"\n')
    with pytest.raises(InvalidSetting, match="no preset 'thrify'") as found:
        read_config(file)
    assert found.value.details == {"field": "preset", "file": str(file)} and "thrifty" in found.value.hint


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as left:
        main(list(words))
    out = capsys.readouterr()
    return int(left.value.code or 0), out.out + out.err


def test_what_an_upgrade_does_is_said_before_and_a_copy_comes_first(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--data", str(old), "--config", str(FIRST / "service.toml"))
    before = state(old)
    status, text = run(capsys, "admin", "upgrade", "--check", *where)
    assert status == 0 and state(old) == before, "nothing is written"
    assert f"23 entries written by Halfhour test in schema 2; this version writes schema {SCHEMA_VERSION}." in text
    assert "an earlier version can no longer read it" in text and "halfhour journal backup" in text
    assert f"{len(schema()) - 3} settings are not stated in it: they stay what they were." in text
    assert "rules.round_s stays 5; an empty ledger opens with 10." in text
    assert "The first start journals NeedsListed (names ['cool_box', 'large_bag'])." in text
    assert run(capsys, "admin", "upgrade", *where)[0] == 2, "an upgrade begins with a copy"
    status, text = run(capsys, "admin", "upgrade", "--backup", str(tmp_path / "copy"), *where)
    assert status == 0 and state(tmp_path / "copy") == before
    assert state(old)[1]["schema"] == SCHEMA_VERSION and state(old)[0] == before[0]
    status, text = run(capsys, "journal", "upgrade", "--check", "--json", *where)
    found = json.loads(text)
    assert (found["schema"], found["completed"], found["open_orders"]) == (SCHEMA_VERSION, {}, 1)


def test_an_upgrade_that_does_not_fit_is_refused_before_it_begins(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "city.toml"
    config.write_text('[travel]\nkind = "straight"\nmetres_per_minute = { default = 250 }\n')
    status, text = run(capsys, "admin", "upgrade", "--check", "--data", str(old), "--config", str(config))
    assert status == 2 and "configuration_misfit" in text and "'scooter'" in text
