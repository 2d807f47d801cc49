"""Looking after a ledger: copies, checks, rotation, exports that a replay can run, and the commands for them."""

from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.config import read_config
from api.ledger.protocol import LedgerEntry, Write
from api.ledger.recovery import place_book, recover, snapshot_of
from api.ledger.sqlite.reader import SqliteReader
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.upkeep.maintenance import backup, restore, rotate
from api.ledger.upkeep.verifying import verify
from api.live.upkeep.chores import fold_snapshot
from dispatch.board.board import Board
from dispatch.codec import decode_event
from dispatch.errors import CorruptJournal
from dispatch.settings.settings import Settings
from halfhour.commands import main
from halfhour.live.live_export import export
from halfhour.live.live_kpis import figures_of
from routing.errors import HalfhourError, InvalidInput
from sim.sources import open_scenario
from tests.api.http.routes.test_deliveries import QUICK, deliver
from tests.kit.service.running import order, running, with_city


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with two orders delivered, one cancelled and one open."""
    folder = tmp_path_factory.mktemp("lived") / "city"

    async def go() -> None:
        async with running(folder, speed=20, **QUICK) as run:
            await with_city(run)
            for name in ("o1", "o2", "o3"):
                await run.orders.post("/v1/deliveries", json=order(name))
                await run.orders.post(f"/v1/deliveries/{name}/ready")
                if name == "o3":
                    await run.orders.post("/v1/deliveries/o3/cancel")
                else:
                    await deliver(run, name)
            await run.orders.post("/v1/deliveries", json=order("o4"))

    asyncio.run(go())
    return folder


@pytest.fixture
def city(lived: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    return Path(shutil.copytree(lived, tmp_path / "city"))


def state(folder: Path) -> dict[str, Any]:
    reader = SqliteReader(folder)
    found = recover(reader, Settings()).board.dump()
    reader.close()
    return found


def test_a_recorded_live_day_is_decided_again_event_by_event(city: Path) -> None:
    found = verify(city)
    assert found.entries > 20 and found.first_seq == 1 and found.erased_places == 0


def test_an_edited_entry_is_found(city: Path) -> None:
    import sqlite3

    with sqlite3.connect(city / "ledger.sqlite") as db:
        (line,) = db.execute("SELECT line FROM journal WHERE line LIKE '%OrderPlaced%' LIMIT 1").fetchone()
        db.execute("UPDATE journal SET line = ? WHERE line = ?", (line.replace('"due_at":', '"due_at":1', 1), line))
    db.close()
    with pytest.raises((CorruptJournal, HalfhourError)):
        verify(city)


def test_a_copy_is_the_same_ledger(city: Path, tmp_path: Path) -> None:
    head = backup(city, tmp_path / "copy")
    assert restore(tmp_path / "copy", tmp_path / "again") == head
    assert state(tmp_path / "again") == state(city)
    with pytest.raises(InvalidInput, match="already"):
        restore(tmp_path / "copy", tmp_path / "again")
    with pytest.raises(InvalidInput, match="not empty"):
        backup(city, tmp_path / "again")
    with pytest.raises(InvalidInput, match="no ledger"):
        backup(tmp_path / "nowhere", tmp_path / "x")
    damaged = tmp_path / "copy" / "ledger.sqlite"
    raw = bytearray(damaged.read_bytes())
    raw[4096:12288] = bytes(8192)
    damaged.write_bytes(raw)
    with pytest.raises(Exception, match=r"damaged|malformed|not a database"):
        restore(tmp_path / "copy", tmp_path / "third")


def test_a_copy_of_a_running_service(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path / "city") as run:
            await with_city(run, riders=0)
            await run.orders.post("/v1/deliveries", json=order())
            await asyncio.to_thread(backup, tmp_path / "city", tmp_path / "copy")

    asyncio.run(go())
    assert "acme.o1" in state(tmp_path / "copy")["orders"]


def test_a_live_market_is_exported_in_its_time_zone(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path / "city", time_zone="Europe/Berlin") as run:
            await with_city(run, riders=1)
            await run.orders.post("/v1/deliveries", json=order())

    asyncio.run(go())
    export(tmp_path / "city", tmp_path / "day")
    assert 'time_zone = "Europe/Berlin"' in (tmp_path / "day" / "scenario.toml").read_text()
    scenario = open_scenario(tmp_path / "day")
    assert scenario.catalogue.time_zone == "Europe/Berlin"
    figures = figures_of(tmp_path / "city")
    assert figures["time_zone"] == "Europe/Berlin" and figures["from"] <= figures["to"]
    entered = datetime.fromisoformat(figures["from"]).astimezone(ZoneInfo("Europe/Berlin"))
    assert entered.isoformat() == figures["from"], "told with the offset of the market"


def test_a_time_zone_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "city.toml"
    file.write_text('[service]\ntime_zone = "Mars/Base"\n')
    with pytest.raises(InvalidInput, match="Mars/Base") as refused:
        read_config(file)
    assert refused.value.details["field"] == "service.time_zone"


def test_rotation_moves_what_snapshots_cover(city: Path) -> None:
    before = state(city)
    assert rotate(city) is None, "one snapshot is not enough"
    head = keep_snapshot_before_the_last_entry(city)
    moved = rotate(city)
    assert moved is not None and moved[0].is_file() and moved[1] == head - 1
    assert state(city) == before
    assert verify(city).entries == head and verify(city).first_seq == 1
    shutil.rmtree(city / "archive")
    assert state(city) == before
    assert verify(city)[:3] == (1, head, 0), "segments taken elsewhere: from the snapshot"


def keep_snapshot_before_the_last_entry(city: Path) -> int:
    """A second snapshot, as a service that goes on would have made it; the number of the last entry."""
    with closing(SqliteReader(city)) as reader:
        board = Board(place_book("wgs84", reader.vault()), Settings())
        *entries, _ = reader.entries()
        for entry in entries:
            for event in entry.events:
                board.apply(decode_event(event))
        reader.save_snapshot(snapshot_of(board, len(entries))).result()
        return reader.head()


def test_a_snapshot_is_folded_by_another_process(city: Path) -> None:
    for path in city.glob("snapshot-*"):
        path.unlink()
    before = state(city)
    asyncio.run(fold_snapshot(str(city)))
    (made,) = city.glob("snapshot-*")
    assert json.loads(made.read_text())["state"]["board"] == before


def test_an_exported_day_is_a_scenario_that_replays(city: Path, tmp_path: Path) -> None:
    from halfhour.replaying import replay
    from sim.sources import open_scenario

    found = export(city, tmp_path / "day")
    assert (found.orders, found.stores, found.riders, found.coarsened) == (4, 1, 1, 4)
    text = "".join(path.read_text() for path in (tmp_path / "day").iterdir())
    assert ",48.142," not in text and "Canary" not in text and "+4915" not in text
    day = open_scenario(tmp_path / "day")
    cancelled = [one.order.order_id for one in day.demand if one.cancelled_at is not None]
    assert cancelled == ["acme.o3"] and len(day.demand) == 4
    assert replay(day).summary["orders"] == 4
    exact = export(city, tmp_path / "exact", exact=True)
    assert exact.coarsened == 0 and ",48.142," in (tmp_path / "exact" / "orders.csv").read_text()


def test_a_day_whose_first_segment_is_elsewhere_begins_at_the_snapshot_and_says_so(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from halfhour.replaying import replay

    head = keep_snapshot_before_the_last_entry(city)
    whole = export(city, tmp_path / "whole")
    assert whole.is_whole and (whole.orders, whole.first_entry) == (4, 1)
    assert rotate(city) is not None
    assert export(city, tmp_path / "rotated") == whole, "in a segment it is as good as in a row"
    shutil.rmtree(city / "archive")
    with pytest.raises(SystemExit) as left:
        main(["journal", "export", str(tmp_path / "day"), "--data", str(city), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert left.value.code == 3 and found["whole"] is False
    assert (found["first_entry"], found["orders"], found["stores"], found["riders"]) == (head, 1, 1, 1)
    day = open_scenario(tmp_path / "day")
    assert [one.order.order_id for one in day.demand] == ["acme.o4"] and replay(day).summary["orders"] == 1
    with pytest.raises(SystemExit) as left:
        main(["journal", "export", str(tmp_path / "day"), "--data", str(city), "--force"])
    assert left.value.code == 3 and f"Entries 1 to {head - 1} are not here" in capsys.readouterr().out
    for path in city.glob("snapshot-*"):
        path.unlink()
    with pytest.raises(CorruptJournal, match=f"entries 1 to {head - 2} are not here"):
        export(city, tmp_path / "none")


def test_a_day_leaves_out_what_its_reader_would_refuse_and_says_so(city: Path, tmp_path: Path) -> None:
    """Version 0.1.0 took any instant; a day that holds one is exported without that order."""
    with closing(SqliteLedger(city)) as ledger:
        placed = next(one for one in ledger.entries() if one.input["kind"] == "OrderPlaced")
        beyond = {**placed.input["order"], "order_id": "acme.o9", "due_at": 2**33}
        events = [{"kind": "OrderAccepted", "at": placed.at, "order": beyond}]
        said = LedgerEntry(ledger.head() + 1, placed.at, {**placed.input, "order": beyond}, events)
        ledger.append(Write(said)).result()
    found = export(city, tmp_path / "day")
    assert (found.orders, found.beyond_bounds, found.is_whole) == (4, 1, False)
    assert len(open_scenario(tmp_path / "day").demand) == 4


def test_the_commands(city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as left:
            main(list(words))
        out = capsys.readouterr()
        return int(left.value.code or 0), out.out + out.err

    data = ["--data", str(city)]
    status, text = run("journal", "verify", *data)
    assert status == 0 and "all agree" in text
    status, text = run("verify", str(city))
    assert status == 0 and "all agree" in text
    status, text = run("journal", "export", str(tmp_path / "day"), *data, "--exact")
    assert status == 2 and "--reason" in text
    status, text = run("journal", "export", str(tmp_path / "day"), *data, "--exact", "--reason", "claim 12")
    assert status == 0 and json.loads((city / "audit.jsonl").read_text())["reason"] == "claim 12"
    status, text = run("journal", "show", *data, "--limit", "2")
    assert [json.loads(line)["seq"] for line in text.splitlines()] == [1, 2]
    status, text = run("admin", "tenant", "new-one", *data)
    assert status == 0
    status, text = run("admin", "key", "new-one", "--scope", "orders", "--json", *data)
    assert json.loads(text)["key"].startswith("hh_")
    assert run("admin", "key", "nobody", "--scope", "orders", *data)[0] == 2
    assert run("admin", "key", "new-one", "--scope", "everything", *data)[0] == 2
    assert run("admin", "tenant", "Not A Name", *data)[0] == 2
    bad = tmp_path / "stores.csv"
    bad.write_text("store_id,lat,lng\ns1,48.1,x\n")
    status, text = run("admin", "store", "--import", str(bad), "--url", "http://127.0.0.1:9")
    assert status == 2 and "line 2" in text and "lng" in text
    status, text = run("status", "--url", "http://127.0.0.1:9")
    assert status == 2 and "nobody answers" in text
