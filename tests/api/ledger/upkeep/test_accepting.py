"""Going on with a ledger that was refused, a restored copy, and what is erased of a journal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from api.ledger.sqlite.reader import FILE
from api.ledger.upkeep.accepting import accept
from api.ledger.upkeep.maintenance import backup, restore
from api.ledger.upkeep.verifying import verify
from dispatch.errors import CorruptJournal
from halfhour.live.live_kpis import figures_of
from routing.errors import InvalidInput
from tests.api.ledger.test_damage import ROWS
from tests.api.ledger.test_parts import a_ledger, change, opened, refused
from tests.kit.service.running import order, running, with_city


def test_a_changed_journal_is_never_served(tmp_path: Path) -> None:
    city = tmp_path / "city"

    async def live() -> None:
        async with running(city) as run:
            await with_city(run, riders=0)
            await run.orders.post("/v1/deliveries", json=order())

    async def again() -> None:
        async with running(city):
            raise AssertionError("it serves")

    asyncio.run(live())
    for path in city.glob("snapshot-*"):
        path.unlink()
    change(city, "UPDATE journal SET line = replace(line, '\"due_at\":1', '\"due_at\":2') WHERE line LIKE '%OrderPl%'")
    with pytest.raises(CorruptJournal, match="is not what was written"):
        asyncio.run(again())
    with pytest.raises(CorruptJournal):
        verify(city)


def test_a_restored_copy_begins_an_epoch(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city")
    with opened(city) as ledger:
        before = ledger.identity
    backup(city, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "again")
    with opened(tmp_path / "again") as ledger:
        assert ledger.identity.ledger == before.ledger and ledger.identity.epoch != before.epoch
    (tmp_path / "again" / FILE).unlink()
    with pytest.raises(InvalidInput, match="of a ledger already"):
        restore(tmp_path / "copy", tmp_path / "again")


def test_what_is_wrong_is_accepted_with_a_reason_and_written_down(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city", mark="due 1000")
    with opened(city) as ledger:
        ledger.append(ROWS["vault"][0]).result()
        before = ledger.identity
    change(city, "UPDATE journal SET line = replace(line, 'due 1000', 'due 1001') WHERE seq = 45")
    change(city, ROWS["vault"][1])
    change(city, "DELETE FROM journal WHERE seq = 60")
    assert refused(city).code == "ledger_behind"
    with pytest.raises(InvalidInput, match="reason"):
        accept(city, " ")
    found = accept(city, "the disk failed")
    assert found[0] == "entries 60 to 60 are missing" and "entry 45 is not" in found[1] and "row 1 of vault" in found[2]
    assert "snapshot-000000000050.json was set aside" in found[3]
    line = json.loads((city / "audit.jsonl").read_text())
    assert line["reason"] == "the disk failed" and line["found"] == found
    with opened(city) as ledger:
        assert ledger.identity.epoch != before.epoch
        assert [one.seq for one in ledger.entries()] == list(range(1, 60))
        ledger.check_rows()
    assert accept(city, "once more") == []


def test_a_hole_in_the_middle_is_not_to_be_accepted(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city")
    change(city, "DELETE FROM journal WHERE seq = 45")
    with pytest.raises(CorruptJournal, match="entry 45 is not here"):
        accept(city, "let us see")
    assert not (city / "audit.jsonl").exists()


def test_words_of_a_cancellation_are_erased_with_the_customer(tmp_path: Path) -> None:
    city = tmp_path / "city"
    words = "Canary Miller has moved to Canary Street"

    async def go() -> None:
        async with running(city) as run:
            await with_city(run, riders=0)
            await run.orders.post("/v1/deliveries", json=order())
            said = await run.orders.post("/v1/deliveries/o1/cancel", json={"reason": words})
            assert said.json()["end_reason"] == "other"
            again = await run.orders.post("/v1/deliveries/o1/cancel", json={"reason": words})
            assert again.json() == said.json()
            (row,) = run.ledger.vault_of("acme.o1")
            assert row.personal["words"] == {"cancel": words}, "kept with what is personal"
            assert (await run.orders.post("/v1/deliveries/o1/erase")).status_code == 200

    asyncio.run(go())
    for path in (*city.rglob("*"),):
        assert path.is_dir() or words.encode() not in path.read_bytes(), path


def test_a_day_that_goes_on_has_open_orders_and_no_digest_of_nothing(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path / "city") as run:
            await with_city(run, riders=0)
            await run.orders.post("/v1/deliveries", json=order("o1"))
            await run.orders.post("/v1/deliveries", json=order("o2"))
            await run.orders.post("/v1/deliveries/o2/cancel")

    asyncio.run(go())
    figures = figures_of(tmp_path / "city")
    assert (figures["orders"], figures["open"], figures["undelivered"], figures["cancelled"]) == (2, 1, 0, 1)
    assert "decision_digest" not in figures
