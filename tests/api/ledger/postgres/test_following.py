"""A follower shows what another host writes, says how late it is, writes nothing, and goes on without a fold."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from api.ledger.protocol import LedgerFailed
from api.ledger.recovery import recover
from api.live import following, host
from dispatch.settings.settings import Settings
from tests.kit.service.loops import in_a_loop
from tests.kit.service.postgres import Server, fresh
from tests.kit.service.running import DROP, Running, order, planned, running, with_city

pytest.importorskip("psycopg", reason="needs psycopg: pip install 'halfhour[postgres]'")


@pytest.fixture
def address(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """A market of nobody, and the secret that its hosts share."""
    monkeypatch.setenv("HALFHOUR_SECRET", "5e" * 32)
    return fresh(postgres, "munich")


async def _placed(run: Running, *names: str) -> None:
    made = await asyncio.gather(
        *(run.orders.post("/v1/deliveries", json=order(name), headers={"Idempotency-Key": name}) for name in names)
    )
    assert {answer.status_code for answer in made} == {201}


async def _same(one: Running, other: Running) -> None:
    """Until the follower shows what the owner does."""

    def is_same() -> bool:
        return bool(other.host.has_board and other.host.board.dump() == one.host.board.dump())

    await one.host.settled()
    await other.until(is_same)


@in_a_loop
async def test_it_shows_what_is_written_elsewhere_and_refuses_to_write(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "ROWS_EVERY_S", 0.2)
    async with running(address) as owner, running(address, keys=owner.keys) as other:
        await with_city(owner, riders=3)
        await _placed(owner, *(f"o{k}" for k in range(1, 13)))  # their places are numbered before they are written
        await planned(owner, "acme.o1")
        await _same(owner, other)
        for path in (
            "/v1/deliveries/acme.o3",
            "/v1/deliveries",
            "/v1/stores",
            "/v1/riders",
            "/v1/status",
            "/v1/events",
        ):
            here, there = await owner.ops.get(path), await other.ops.get(path)
            assert there.status_code == here.status_code == 200, path
            assert float(there.headers["halfhour-lag-seconds"]) >= 0 and "halfhour-lag-seconds" not in here.headers
            assert there.headers["halfhour-owner"]
        assert (await other.orders.get("/v1/deliveries/o3")).json() == (
            await owner.orders.get("/v1/deliveries/o3")
        ).json()
        change = {"dropoff": DROP | {"address": "Finch Street 1"}}
        changed = await owner.orders.patch("/v1/deliveries/o12", json=change)
        assert changed.status_code == 200 and "Finch" in changed.text, changed.text

        async def is_known() -> bool:
            return "Finch" in (await other.orders.get("/v1/deliveries/o12")).text

        await other.until(is_known)
        for refused in (
            await other.orders.post("/v1/deliveries", json=order("late")),
            await other.orders.post("/v1/quotes", json=order("late")),
            await other.riders.post("/v1/riders/r1/shift"),
            await other.ops.put("/v1/stores/s9", json={}),
        ):
            said = refused.json()
            assert (refused.status_code, said["code"]) == (421, "follower_read_only"), said
            assert said["host"] and said["host"] in said["detail"] and "halfhour-lag-seconds" in refused.headers
        assert (await other.anyone.get("/readyz")).status_code == 503
        assert (await other.anyone.get("/healthz")).status_code == 200


@in_a_loop
async def test_a_ledger_that_cannot_be_read_shows_in_the_lag(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(address) as owner, running(address, keys=owner.keys) as other:
        await with_city(owner)
        await _same(owner, other)
        usual = other.ledger.head

        def away() -> int:
            raise LedgerFailed("the database is away")

        async def lag_s() -> float:
            return float((await other.ops.get("/v1/stores")).headers["halfhour-lag-seconds"])

        monkeypatch.setattr(other.ledger, "head", away)
        first = await lag_s()

        async def is_later() -> bool:
            return await lag_s() > first + 1.0

        await other.until(is_later)
        monkeypatch.setattr(other.ledger, "head", usual)

        async def is_close() -> bool:
            return await lag_s() < first + 1.0

        await other.until(is_close)


@in_a_loop
async def test_a_take_over_goes_on_from_what_was_followed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folds: list[Any] = []

    def folded(*given: Any) -> Any:
        folds.append(given)
        return recover(*given)

    async with AsyncExitStack() as life:
        owner = await life.enter_async_context(running(address))
        async with running(address, keys=owner.keys) as other:
            await with_city(owner, riders=2)
            await _placed(owner, "o1", "o2", "o3")
            await planned(owner, "acme.o1")
            assert (await owner.orders.post("/v1/deliveries/o3/cancel")).status_code == 200
            await owner.ops.post("/v1/deliveries/acme.o3/erase")
            await _same(owner, other)
            monkeypatch.setattr(host, "recover", folded)
            await life.aclose()  # it gives the market back
            await other.until(lambda: other.host.is_ready)
            assert folds == [] and not other.ledger.is_following
            here, there = recover(other.ledger, Settings()), other.host.board
            assert here.board.dump() == there.dump() and here.seq == other.host.seq
            for handle in {record.order.drop_place for record in there.orders.values()}:
                assert here.places.latlng(handle) == there.places.latlng(handle)
            again = await other.orders.post("/v1/deliveries", json=order("o1"), headers={"Idempotency-Key": "o1"})
            assert again.status_code == 201 and again.headers["Idempotent-Replayed"] == "true"
            await _placed(other, "o4", "o5")
            assert await planned(other, "acme.o4")
            answer = await other.orders.get("/v1/deliveries/o4")
            assert answer.status_code == 200 and "halfhour-lag-seconds" not in answer.headers
            seqs = [entry.seq for entry in other.ledger.entries()]
            assert seqs == list(range(1, len(seqs) + 1))


@in_a_loop
async def test_a_journal_that_cannot_be_followed_is_folded_by_whoever_takes_it(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dispatch.errors import CorruptJournal

    monkeypatch.setattr(following, "ROWS_EVERY_S", 0.05)
    async with AsyncExitStack() as life:
        owner = await life.enter_async_context(running(address))
        await with_city(owner)

        def broken(*given: Any) -> Any:
            raise CorruptJournal("not this time", line=1)

        monkeypatch.setattr(following, "Tail", broken)
        async with running(address, keys=owner.keys) as other:
            answer = await other.ops.get("/v1/stores")
            assert answer.status_code == 503 and "halfhour-lag-seconds" in answer.headers
            await life.aclose()
            await other.until(lambda: other.host.is_ready)
            assert (await other.ops.get("/v1/stores")).status_code == 200
