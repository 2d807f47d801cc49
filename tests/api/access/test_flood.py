"""A flood: refused early with a time to come back, nothing acknowledged lost, and nobody else pays for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from api.access.slots import Slots
from api.common.api_keys import Scope
from api.ledger.protocol import Tenant
from tests.kit.service.running import Running, order, running, with_city


def test_a_flood_is_refused_early_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, most_waiting=16, longest_wait_s=10**6) as run:
            await with_city(run)
            names = [f"f{k}" for k in range(400)]
            answers = await asyncio.gather(*(run.orders.post("/v1/deliveries", json=order(name)) for name in names))
            counts = Counter(answer.status_code for answer in answers)
            assert set(counts) == {201, 429} and counts[429] > 100, counts
            refused = next(answer for answer in answers if answer.status_code == 429)
            assert int(refused.headers["retry-after"]) >= 1 and refused.json()["code"] == "overloaded"
            for name, answer in zip(names, answers, strict=True):
                there = f"acme.{name}" in run.host.board.orders
                assert there is (answer.status_code == 201), name
            assert run.ledger.head() >= counts[201]
            assert (await run.orders.post("/v1/deliveries", json=order("after"))).status_code == 201

    asyncio.run(go())


def test_one_tenants_flood_leaves_room_for_another(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, most_waiting=16, longest_wait_s=10**6) as run:
            await with_city(run)
            flood = [asyncio.create_task(run.orders.post("/v1/deliveries", json=order(f"f{k}"))) for k in range(300)]
            await asyncio.sleep(0)
            theirs = [await run.other.post("/v1/deliveries", json=order(f"o{k}")) for k in range(3)]
            assert [answer.status_code for answer in theirs] == [201, 201, 201]
            assert 429 in {answer.status_code for answer in await asyncio.gather(*flood)}

    asyncio.run(go())


def test_a_city_that_is_full_says_so(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, most_open_orders=2) as run:
            await with_city(run, riders=0)
            statuses = [(await run.orders.post("/v1/deliveries", json=order(f"o{k}"))).status_code for k in range(3)]
            assert statuses == [201, 201, 429]
            full = await run.orders.post("/v1/deliveries", json=order("o9"))
            assert full.json()["code"] == "no_capacity" and full.json()["retry_after_s"] == 30
            await run.orders.post("/v1/deliveries/o1/cancel")
            assert (await run.orders.post("/v1/deliveries", json=order("o9"))).status_code == 201

    asyncio.run(go())


async def _third(run: Running) -> dict[str, str]:
    """The key of a tenant that does not flood, as a header."""
    await asyncio.wrap_future(run.ledger.save_tenant(Tenant("third", "Third", 0)))
    key, _ = run.app.state.application.gate.keys.make("third", [Scope.ORDERS], run.host.clock.now())
    return {"Authorization": f"Bearer {key}"}


def test_two_tenants_flood_takes_nothing_from_riders_operations_and_a_third_tenant(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, most_waiting=24, longest_wait_s=10**6) as run:
            await with_city(run)
            third = await _third(run)
            token = (await run.riders.post("/v1/riders/r1/token")).json()["token"]
            phone = {"Authorization": f"Bearer {token}"}
            flood = [
                asyncio.create_task(client.post("/v1/deliveries", json=order(f"f{k}")))
                for k in range(200)
                for client in (run.orders, run.other)
            ]
            await asyncio.sleep(0)
            told = []
            for k in range(4):
                answers = await asyncio.gather(
                    run.anyone.post("/v1/riders/r1/break", headers=phone),
                    run.ops.put("/v1/settings/rules.round_s", json={"value": str(5 + k)}),
                    run.anyone.post("/v1/deliveries", json=order(f"t{k}"), headers=third),
                )
                answers.append(await run.anyone.post(f"/v1/deliveries/t{k}/cancel", headers=third))
                told.append([answer.status_code for answer in answers])
                assert (await run.anyone.post("/v1/riders/r1/break/end", headers=phone)).status_code == 200
            assert told == [[200, 200, 201, 200]] * 4
            statuses = Counter(answer.status_code for answer in await asyncio.gather(*flood))
            assert set(statuses) == {201, 429}

    asyncio.run(go())


def test_however_many_hold_slots_the_next_one_finds_its_share() -> None:
    slots = Slots(60, clock=lambda: 0.0)
    with ExitStack() as held:
        for k in range(8):  # each takes what it gets and keeps it
            assert not slots.is_full(f"t{k}")
            while not slots.is_full(f"t{k}"):
                held.enter_context(slots.held(f"t{k}"))
        assert 30 < slots.taken < 60 and not slots.is_full("newcomer")
    assert slots.taken == 0


def test_one_key_answers_the_same_bytes_however_often_and_at_once_it_is_asked(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            for path, body in (
                ("/v1/deliveries", order("o1", proof_of_delivery="pin", items=[{"name": "Pho"}], order_value=1250)),
                ("/v1/quotes", order("o2")),
            ):
                asked = {"json": body, "headers": {"Idempotency-Key": f"k {path}"}}
                at_once = await asyncio.gather(*(run.orders.post(path, **asked) for _ in range(9)))
                later = await run.orders.post(path, **asked)
                assert len({answer.content for answer in (*at_once, later)}) == 1, path

    asyncio.run(go())


def test_in_a_flood_an_order_is_promised_what_the_queue_allows_or_refused(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=2)
            promised = []
            for k in range(400):
                answer = await run.orders.post("/v1/deliveries", json=order(f"f{k}"))
                if answer.status_code != 201:
                    break
                found = answer.json()
                ends, begins = (datetime.fromisoformat(found[name]) for name in ("due_at", "created_at"))
                promised.append((ends - begins).total_seconds())
            refused = answer.json()
            assert (answer.status_code, refused["code"], refused["retry_after_s"]) == (429, "no_capacity", 60)
            assert promised[:8] == [1800] * 8, "a full trip for each rider is no flood"
            assert 7200 - 900 < promised[-1] <= 7200 and len(promised) < 200
            quote = (await run.orders.post("/v1/quotes", json=order("q"))).json()
            ahead = datetime.fromisoformat(quote["promise"]["due_at"]) - begins
            assert ahead.total_seconds() > 7200 - 900, "a quote promises no less"
            later = order("later", release_at=run.clock.soon(6 * 3600))
            assert (await run.orders.post("/v1/deliveries", json=later)).status_code == 201

    asyncio.run(go())
