"""Quotes over the wire: the laws of a round, promises that count from the release, and nothing that is kept."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.kit.service.running import STORE, Running, order, running, with_city

CORNERS = [{"lat": 48.14, "lng": 11.57}, {"lat": 48.14, "lng": 11.59}, {"lat": 48.15, "lng": 11.58}]


async def quoted(run: Running, **fields: Any) -> dict[str, Any]:
    answer = await run.orders.post("/v1/quotes", json=order("q", **fields))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def seconds(later: str, earlier: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


async def _close(run: Running) -> dict[str, Any]:
    await run.ops.post("/v1/stores/s1/close")
    return {}


async def _pause(run: Running) -> dict[str, Any]:
    await run.ops.put("/v1/zones/z", json={"corners": CORNERS})
    await run.ops.post("/v1/overrides", json={"action": "pause", "zone_id": "z", "reason": "flood"})
    return {}


async def _heavy(run: Running) -> dict[str, Any]:
    return {"load_units": 100_000}


async def _needy(run: Running) -> dict[str, Any]:
    return {"needs": ["age_check"]}


async def _ahead(run: Running) -> dict[str, Any]:
    return {"release_at": run.clock.soon(7200)}


@pytest.mark.parametrize(
    ("make", "reason"),
    [(_close, "STORE_CLOSED"), (_pause, "ZONE"), (_heavy, "CAPACITY"), (_needy, "NEEDS"), (_ahead, "KEPT")],
)
def test_a_quote_promises_no_times_that_no_round_would_give(make: Any, reason: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            assert (await quoted(run))["dropoff_at"] is not None
            quote = await quoted(run, **await make(run))
            assert (quote["pickup_at"], quote["dropoff_at"], quote["reason"]) == (None, None, reason)

    asyncio.run(go())


def test_what_is_released_later_is_promised_from_its_release(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            release_at = run.clock.soon(7200)
            quote = await quoted(run, release_at=release_at)
            assert seconds(quote["promise"]["due_at"], release_at) == 1800
            made = (await run.orders.post("/v1/deliveries", json=order(release_at=release_at))).json()
            assert seconds(made["due_at"], release_at) == 1800
            assert seconds(made["expected_ready_at"], release_at) == STORE["mean_ready_s"]

    asyncio.run(go())


def test_quotes_asked_at_once_are_each_about_their_own_door_and_leave_nothing(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=3)
            doors = [{"location": {"lat": 48.14 + 0.002 * k, "lng": 11.58}} for k in range(8)]
            before = run.host.seq
            found = await asyncio.gather(*(quoted(run, dropoff=door) for door in doors))
            ways = [seconds(quote["dropoff_at"], quote["pickup_at"]) for quote in found]
            assert ways == sorted(ways) and len(set(ways)) == len(ways), "a door farther away is reached later"
            assert not run.host.board.orders and run.host.seq - before <= 2

    asyncio.run(go())


def test_where_no_round_can_be_planned_a_quote_has_no_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*words: Any, **named: Any) -> Any:
        raise ArithmeticError("an order that cannot be planned")

    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            monkeypatch.setattr("dispatch.rounds.solve.solve_round", fails)
            quote = await quoted(run)
            assert (quote["dropoff_at"], quote["reason"]) == (None, "BUDGET")

    asyncio.run(go())


@pytest.mark.parametrize(
    ("corners", "why"),
    [
        ([(48.0, 11.0), (48.1, 11.1), (48.2, 11.2)], "a zone is an area"),
        ([(48.0, 11.0)] * 3, "a zone is an area"),
        ([(48.0, 179.9), (48.0, -179.9), (48.2, -179.9)], "180th meridian"),
    ],
)
def test_a_zone_that_holds_nothing_or_goes_round_the_world_is_refused(
    corners: list[tuple[float, float]], why: str, tmp_path: Path
) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            body = {"corners": [{"lat": lat, "lng": lng} for lat, lng in corners]}
            answer = await run.ops.put("/v1/zones/z", json=body)
            assert answer.status_code == 422 and why in answer.text
            assert (await run.ops.get("/v1/zones")).json() == []

    asyncio.run(go())


def test_a_quote_is_held_to_what_an_order_may_say(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            await run.ops.put("/v1/stores/s2", json=STORE)
            for sources, field in (
                ([{"store_id": "s1"}, {"store_id": "s2", "ready_at": "2099-12-31T23:59:59Z"}], "sources.1.ready_at"),
                ([{"store_id": "s1"}, {"store_id": "s1"}], "sources"),
            ):
                for path in ("/v1/quotes", "/v1/deliveries"):
                    answer = await run.orders.post(path, json=order("far", sources=sources))
                    said = answer.json()
                    assert (answer.status_code, said["code"]) == (422, "invalid_order"), said
                    assert [error["field"] for error in said["field_errors"]] == [field], said
            assert (await quoted(run))["dropoff_at"] is not None

    asyncio.run(go())
