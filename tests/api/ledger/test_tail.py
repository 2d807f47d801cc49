"""A board that is folded along is the board that is folded at once, however the journal comes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from api.ledger.protocol import LedgerFailed
from api.ledger.recovery import Tail, recover
from api.ledger.sqlite.reader import SqliteReader
from dispatch.settings.settings import Settings
from tests.kit.service.running import order, planned, running, with_city


def _alike(tail: Tail, ledger: SqliteReader) -> None:
    whole = recover(ledger, Settings())
    assert (tail.seq, tail.board.now) == (whole.seq, whole.board.now) and tail.board.dump() == whole.board.dump()
    named = {record.order.drop_place for record in whole.board.orders.values()}
    named |= {record.store.place for record in whole.board.stores.values()}
    named |= {record.rider.place for record in whole.board.riders.values()}
    for handle in named:
        for column in ("first", "second", "enter_s", "exit_s", "matrix_row"):
            assert getattr(tail.places, column)[handle] == getattr(whole.places, column)[handle], (handle, column)
        assert tail.places.access_of(handle) == whole.places.access_of(handle)


@pytest.mark.parametrize("most", [1, 3, 200])
def test_folding_along_is_folding(tmp_path: Path, most: int) -> None:
    async def lives() -> None:
        async with running(tmp_path / "city") as run:
            reader = SqliteReader(tmp_path / "city")
            tail = Tail(reader, Settings())

            async def caught_up() -> None:
                await run.host.settled()
                while not (look := tail.look(most)).is_all:
                    assert len(look.entries) == most
                    tail.take(look)
                tail.take(look)
                _alike(tail, reader)

            await with_city(run, riders=2)
            await caught_up()
            names = [f"o{k}" for k in range(1, 9)]
            posts = (run.orders.post("/v1/deliveries", json=order(name)) for name in names)
            assert {answer.status_code for answer in await asyncio.gather(*posts)} == {201}
            await planned(run, "acme.o1")
            await caught_up()
            here = {"lat": 48.1395, "lng": 11.5775, "at": run.clock.soon()}
            await run.riders.post("/v1/riders/r1/positions", json={"positions": [here]})
            moved = {"location": {"lat": 48.1371, "lng": 11.5751, "access": {"lat": 48.1372, "lng": 11.5752}}}
            await run.ops.put("/v1/stores/s2", json={"location": {"lat": 48.1371, "lng": 11.5751}} | moved)
            await run.riders.put("/v1/riders/r2", json={"location": {"lat": 48.1, "lng": 11.5}, "name": "Ada"})
            assert (await run.orders.post("/v1/deliveries/o2/cancel")).status_code == 200
            await caught_up()
            reader.close()

    asyncio.run(lives())


def test_a_journal_that_has_become_shorter_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lives() -> None:
        async with running(tmp_path / "city") as run:
            await with_city(run)
            await run.host.settled()
            tail = Tail(run.ledger, Settings())
            monkeypatch.setattr(run.ledger, "head", lambda: tail.seq - 1)
            with pytest.raises(LedgerFailed) as shorter:
                tail.look()
            assert shorter.value.code == "ledger_went_back"

    asyncio.run(lives())
