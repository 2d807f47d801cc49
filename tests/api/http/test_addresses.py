"""Which orders lead to one door, as the service understands their addresses; and what its stop shows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from halfhour.live.live_export import export
from sim.sources import open_scenario
from tests.kit.service.running import DROP, Running, order, running, with_city

METRE = 1 / 111_195.08
TEXT = "Canary Street 7"


def drop(metres: float = 0.0, address: str | None = TEXT, address_id: str | None = None) -> dict[str, Any]:
    """A door so far north of DROP."""
    where = {"lat": DROP["location"]["lat"] + metres * METRE, "lng": DROP["location"]["lng"]}
    said = {"address": address, "address_id": address_id}
    return {"location": where} | {name: value for name, value in said.items() if value is not None}


async def placed(run: Running, *drops: dict[str, Any], by: str = "orders") -> list[str]:
    """The doors of orders o1, o2, ... to these addresses."""
    tenant = {"orders": "acme", "other": "bee"}[by]
    for k, where in enumerate(drops, start=1):
        made = await run.http[by].post("/v1/deliveries", json=order(f"o{k}", dropoff=where))
        assert made.status_code == 201, made.text
    return [run.host.board.orders[f"{tenant}.o{k}"].order.door for k in range(1, len(drops) + 1)]


async def stops(run: Running, count: int) -> list[dict[str, Any]]:
    """The stops at doors on r1's phone, once it shows so many deliveries at doors."""

    async def shown() -> list[dict[str, Any]] | None:
        route = (await run.riders.get("/v1/riders/r1/route")).json()
        await run.riders.post("/v1/riders/r1/route/seen", json={"revision": route["revision"]})
        if route["stops"] and route["stops"][0]["store_id"] is not None:
            await run.riders.post(f"/v1/stops/{route['stops'][0]['stop_id']}/arrive")
            if len(route["stops"][0]["acts"]) == count:
                await run.riders.post(f"/v1/stops/{route['stops'][0]['stop_id']}/complete")
        found = [stop for stop in route["stops"] if any(act["kind"] == "drop" for act in stop["acts"])]
        return found if sum(len(stop["acts"]) for stop in found) == count else None

    found: list[dict[str, Any]] = await run.until(shown)
    return found


SAME = [
    ("the same text", [drop(), drop(9.9)]),
    ("the same text, written otherwise", [drop(), drop(3, "  canary   street 7 ")]),
    ("the caller's own id", [drop(address_id="a-1"), drop(60, "other words", address_id="a-1")]),
]
APART = [
    ("eleven metres apart", [drop(), drop(11)]),
    ("the same text far away", [drop(), drop(900)]),
    ("another text", [drop(), drop(0, "Canary Street 8")]),
    ("no address", [drop(0, None), drop(0, None)]),
    ("an id and the same text", [drop(address_id="a-1"), drop()]),
    ("two ids", [drop(address_id="a-1"), drop(address_id="a-2")]),
    ("the caller's id contradicts itself", [drop(address_id="a-1"), drop(120, address_id="a-1")]),
]


@pytest.mark.parametrize(("same", "drops"), [*((True, d) for _, d in SAME), *((False, d) for _, d in APART)],
                         ids=[name for name, _ in (*SAME, *APART)])  # fmt: skip
def test_one_door_is_the_callers_id_or_the_same_text_close_by(
    tmp_path: Path, same: bool, drops: list[dict[str, Any]]
) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            first, second = await placed(run, *drops)
            assert (first == second and first != "") == same

    asyncio.run(go())


def test_points_of_one_door_lie_close_to_each_of_them(tmp_path: Path) -> None:
    """Each nine metres from the next: the first and the third are not at one door."""

    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            first, second, third, fourth = await placed(run, drop(), drop(9), drop(18), drop(27))
            assert first == second != third == fourth

    asyncio.run(go())


def test_tenants_share_no_door_and_the_journal_holds_no_address(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            (mine,), (theirs,) = await placed(run, drop()), await placed(run, drop(), by="other")
            assert mine and theirs and mine != theirs
            named = order("o2", dropoff=drop(0, "elsewhere", address_id="rue-du-canari"))
            assert (await run.orders.post("/v1/deliveries", json=named)).status_code == 201
            await run.host.settled()
            said = "".join(str(entry) for entry in run.ledger.entries())
            assert mine in said and "anary" not in said and "canari" not in said

    asyncio.run(go())


def test_after_a_restart_a_door_is_still_the_same(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            (first,) = await placed(run, drop())
        async with running(tmp_path) as run:
            assert (await run.orders.post("/v1/deliveries", json=order("o2", dropoff=drop(2)))).status_code == 201
            assert run.host.board.orders["acme.o2"].order.door == first

    asyncio.run(go())


def test_an_ended_order_holds_no_door(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            first, second, third = await placed(run, drop(), drop(9), drop(18))
            assert first == second != third
            assert (await run.orders.post("/v1/deliveries/o1/cancel")).status_code == 200
            assert (await run.orders.post("/v1/deliveries/o3/cancel")).status_code == 200
            made = await run.orders.post("/v1/deliveries", json=order("o4", dropoff=drop(18)))
            assert made.status_code == 201
            assert run.host.board.orders["acme.o4"].order.door == second, "nine metres from the only one that is left"

    asyncio.run(go())


def test_three_orders_at_one_door_are_one_stop_and_end_each_by_itself(tmp_path: Path) -> None:
    async def go() -> None:
        engine = {"rules.max_batch": 4, "rules.round_s": 5}
        async with running(tmp_path, speed=30, engine=engine, drop_enter_s=60, drop_exit_s=30) as run:
            await with_city(run)
            await placed(run, drop(), drop(4), drop(8))
            (stop,) = await stops(run, 3)
            assert {act["delivery_id"] for act in stop["acts"]} == {"acme.o1", "acme.o2", "acme.o3"}
            for act in stop["acts"]:
                metres = {"acme.o1": 0, "acme.o2": 4, "acme.o3": 8}[act["delivery_id"]]
                assert act["dropoff"]["location"]["lat"] == pytest.approx(drop(metres)["location"]["lat"])
            rows = [run.host.vault_row(run.host.board.orders[f"acme.o{k}"].order.drop_place) for k in (1, 2, 3)]
            assert [row.personal["address"] for row in rows] == [TEXT] * 3
            path = f"/v1/stops/{stop['stop_id']}"
            await run.until(lambda: run.host.board.orders["acme.o1"].state.is_on_board)
            await run.riders.post(f"{path}/arrive")
            for told, verb, state in (
                ("acme.o2", "complete", "delivered"), ("acme.o3", "fail", "returning"),
                ("acme.o1", "complete", "delivered"),
            ):  # fmt: skip
                body = {"deliveries": [told]} | ({"reason": "absent"} if verb == "fail" else {})
                assert (await run.riders.post(f"{path}/{verb}", json=body)).json()["known"]
                assert (await run.orders.get(f"/v1/deliveries/{told[5:]}")).json()["status"] == state

    asyncio.run(go())


def test_a_change_of_address_parts_a_door_and_one_of_other_words_does_not(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            first, *_ = await placed(run, drop(), drop(), drop(0, None))

            async def change(external_id: str, where: dict[str, Any]) -> str:
                made = await run.orders.patch(f"/v1/deliveries/{external_id}", json={"dropoff": where})
                assert made.status_code == 200, made.text
                door: str = run.host.board.orders[f"acme.{external_id}"].order.door
                return door

            assert await change("o1", drop() | {"instructions": "Second floor"}) == first
            assert await change("o1", drop(5)) == first, "a few metres are the same door"
            assert await change("o1", drop(5, "Canary Street 9")) not in ("", first)
            assert await change("o1", drop(900)) not in ("", first)
            assert await change("o1", drop(2)) == first
            assert await change("o3", drop(2)) == first
            assert await change("o2", drop(0, None)) == ""

    asyncio.run(go())


def test_a_quote_counts_on_the_door(tmp_path: Path) -> None:
    """An order more at a door where the rider stops anyway costs no way in of its own."""

    async def go() -> None:
        engine = {"rules.max_batch": 4, "rules.round_s": 600}
        slow = {"drop_enter_s": 600, "drop_exit_s": 600}
        async with running(tmp_path, engine=engine, **slow) as run:
            await with_city(run)
            assert (await run.orders.post("/v1/deliveries", json=order(dropoff=drop(), priority=9))).status_code == 201
            await run.until(lambda: run.host.board.orders["acme.o1"].planned_rider_id)
            at = {}
            for name, where in (("same", drop(3)), ("next", drop(3, "Canary Street 8"))):
                asked = await run.orders.post("/v1/quotes", json=order("q", dropoff=where))
                at[name] = asked.json()["dropoff_at"]
            assert None not in at.values() and at["same"] != at["next"]

    asyncio.run(go())


def test_an_exported_day_names_its_doors(tmp_path: Path) -> None:
    async def go() -> list[str]:
        async with running(tmp_path / "live") as run:
            await with_city(run)
            return await placed(run, drop(), drop(4), drop(0, None))

    doors = asyncio.run(go())
    export(tmp_path / "live", tmp_path / "day")
    assert [one.order.door for one in open_scenario(tmp_path / "day").demand] == doors
