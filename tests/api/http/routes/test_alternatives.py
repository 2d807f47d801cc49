"""Several stores and ends over HTTP: shown, chosen, told to a kitchen, run out, refused by name."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.kit.service.running import STORE, Running, order, running, with_city

SOURCES = [{"store_id": "s1", "prepare_s": 600}, {"store_id": "s2", "prepare_s": 600, "price": 10**6}]
ENDS = [{"type": "door"}, {"type": "counter", "store_id": "s2", "price": 10**9}]


async def with_stores(run: Running) -> None:
    """A second store, two hundred metres from the first."""
    await with_city(run)
    where = {"lat": STORE["location"]["lat"] + 0.002, "lng": STORE["location"]["lng"]}
    assert (await run.ops.put("/v1/stores/s2", json=STORE | {"location": where})).status_code == 200


def test_a_delivery_is_chosen_told_and_comes_from_another_store_where_one_runs_out(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_stores(run)
            made = await run.orders.post("/v1/deliveries", json=order(sources=SOURCES, ends=ENDS))
            assert made.status_code == 201, made.text
            shown = made.json()["alternatives"]
            assert [one["store_id"] for one in shown["sources"]] == ["s1", "s2"]
            assert (shown["end"], shown["source_told_at"]) == ("door", None)
            record = run.host.board.orders["acme.o1"]
            await run.until(lambda: record.source_told_at is not None)
            found = (await run.orders.get("/v1/deliveries/o1")).json()
            assert found["pickup_store_id"] == "s1" and found["alternatives"]["source_told_at"] is not None
            (item,) = (await run.ops.get("/v1/stores/s1/queue")).json()
            assert item["start_preparing_at"] == found["alternatives"]["source_told_at"]
            assert (await run.ops.post("/v1/deliveries/acme.o1/ran_out")).status_code == 200
            await run.until(lambda: record.order.store_id == "s2")
            await run.host.settled()
            kinds = [event["kind"] for event in (await run.orders.get("/v1/events")).json()["events"]]
            assert {"delivery.source_told", "delivery.source_opened", "delivery.source_chosen"} <= set(kinds)
            assert (await run.orders.get("/v1/deliveries/o1")).json()["dropoff"] is not None

    asyncio.run(go())


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"sources": [*SOURCES, {"store_id": "s9"}]}, "unknown_store", "sources.2.store_id"),
    ({"sources": SOURCES[1:]}, "invalid_order", "pickup_store_id"),
    ({"sources": [SOURCES[0], SOURCES[0]]}, "invalid_order", "sources"),
    ({"sources": [{"store_id": "s1", "price": -1}]}, "validation_failed", "sources.0.price"),
    ({"ends": [{"type": "counter", "store_id": "s9"}, {"type": "door"}]}, "unknown_store", "ends.0.store_id"),
    ({"ends": [{"type": "counter", "store_id": "s2"}]}, "invalid_order", "ends"),
    ({"ends": [{"type": "door", "store_id": "s2"}]}, "validation_failed", "ends.0"),
    ({"ends": [{"type": "window"}]}, "validation_failed", "ends.0.type"),
]


def test_what_cannot_be_is_refused_by_its_field(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_stores(run)
            for number, (fields, code, field) in enumerate(WRONG):
                answer = await run.orders.post("/v1/deliveries", json=order(f"w{number}", **fields))
                found = answer.json()
                assert answer.status_code in (404, 422), (fields, found)
                assert found["code"] == code, (fields, found)
                assert found["field_errors"][0]["field"] == field, (fields, found)

    asyncio.run(go())


@pytest.mark.parametrize("closed", [("s1", "s2")])
def test_an_order_of_closed_stores_is_refused_with_the_reason_of_each(tmp_path: Path, closed: tuple[str, ...]) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_stores(run)
            for store_id in closed:
                assert (await run.ops.post(f"/v1/stores/{store_id}/close")).status_code == 200
            answer = await run.orders.post("/v1/deliveries", json=order(sources=SOURCES))
            assert (answer.status_code, answer.json()["code"]) == (422, "no_alternative")
            assert set(answer.json()["sources"]) == {"s1", "s2"}

    asyncio.run(go())


def test_a_store_counts_its_articles_and_the_last_one_goes_to_one_order(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_stores(run)
            items = [{"name": "Milk", "quantity": 2, "sku": "milk"}]
            counted = await run.ops.put("/v1/stores/s1/stock", json={"counts": {"milk": 3}, "version": 4})
            shown = {"store_id": "s1", "stock": {"milk": 3}, "reserved": {}, "version": 4}
            assert (counted.status_code, counted.json()) == (200, shown)
            stale = await run.ops.put("/v1/stores/s1/stock", json={"counts": {"milk": 9}, "version": 4})
            assert (stale.status_code, stale.json()["code"]) == (409, "stale_stock")
            assert (await run.orders.post("/v1/deliveries", json=order(items=items))).status_code == 201
            assert (await run.ops.get("/v1/stores/s1/stock")).json()["reserved"] == {"milk": 2}
            second = await run.orders.post("/v1/deliveries", json=order("o2", items=items))
            assert (second.status_code, second.json()["code"]) == (422, "no_alternative")
            assert (await run.orders.post("/v1/deliveries/o1/cancel")).status_code == 200
            assert (await run.ops.get("/v1/stores/s1/stock")).json()["reserved"] == {}

    asyncio.run(go())


def test_under_many_clients_at_once_no_article_is_sold_twice(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_stores(run)
            for store_id in ("s1", "s2"):
                assert (await run.ops.put(f"/v1/stores/{store_id}/stock", json={"counts": {"milk": 5}})).is_success
            items = [{"name": "Milk", "sku": "milk"}]
            asked = (order(f"c{k}", sources=SOURCES, items=items) for k in range(16))
            answers = await asyncio.gather(*(run.orders.post("/v1/deliveries", json=body) for body in asked))
            assert sorted(answer.status_code for answer in answers) == [201] * 10 + [422] * 6
            for store in run.host.board.stores.values():
                assert 0 <= store.reserved.get("milk", 0) <= store.stock["milk"]

    asyncio.run(go())


def test_a_customer_asks_for_another_end(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_stores(run)
            assert (await run.orders.post("/v1/deliveries", json=order(ends=ENDS))).status_code == 201
            await run.until(lambda: run.host.board.orders["acme.o1"].planned_rider_id)
            asked = await run.orders.post("/v1/deliveries/o1/end", json={"end": "counter:s2"})
            assert (asked.status_code, asked.json()["alternatives"]["end"]) == (200, "counter:s2"), asked.text
            unknown = await run.orders.post("/v1/deliveries/o1/end", json={"end": "counter:s9"})
            assert (unknown.status_code, unknown.json()["code"]) == (422, "invalid_order")
            back = await run.orders.post("/v1/deliveries/o1/end", json={"end": "door"})
            assert (back.status_code, back.json()["alternatives"]["end"]) == (200, "door")

    asyncio.run(go())
