"""Store hours over the wire: shown, promised by, kept up to date, and closed or slow until a stated time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from api.live import store_hours
from dispatch.calendar.opening_hours import DAY_S
from tests.kit.service.running import STORE, Running, order, running, with_city

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def open_from(run: Running, hours_ahead: int) -> tuple[str, str]:
    """Opening hours of one hour in so many, and the instant at which they begin."""
    begins = datetime.fromtimestamp(run.clock.now(), UTC) + timedelta(hours=hours_ahead)
    begins = begins.replace(minute=0, second=0)
    text = f"off; {DAYS[begins.weekday()]} {begins:%H:%M}-{begins.hour + 1:02d}:00"
    return text, begins.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_store_outside_its_hours_is_closed_and_promises_count_from_its_opening(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            text, opens_at = open_from(run, 5)
            shown = (await run.ops.put("/v1/stores/s1", json=STORE | {"hours": text})).json()
            assert (shown["closed"], shown["closed_until"], shown["hours"]) == (True, opens_at, text)
            quote = (await run.orders.post("/v1/quotes", json=order("q"))).json()
            assert (quote["dropoff_at"], quote["reason"]) == (None, "STORE_CLOSED")
            made = (await run.orders.post("/v1/deliveries", json=order())).json()
            opens = datetime.fromisoformat(opens_at)
            expected = (quote["promise"]["due_at"], 1800), (made["due_at"], 1800), (made["expected_ready_at"], 300)
            for found, after_s in expected:
                assert datetime.fromisoformat(found) == opens + timedelta(seconds=after_s)

            async def waits() -> bool:
                why = (await run.orders.get("/v1/decisions/o1")).json()
                return why["waiting_because"] == "STORE_CLOSED"

            await run.until(waits)

    asyncio.run(go())


def test_hours_that_cannot_be_read_are_refused_with_how_to_write_them(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            answer = await run.ops.put("/v1/stores/s1", json=STORE | {"hours": "9 to 5"})
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (422, "invalid_hours")
            assert problem["field_errors"][0]["field"] == "hours" and "Mo-Fr" in answer.text
            assert "s1" not in run.host.board.stores

    asyncio.run(go())


def test_the_engine_always_knows_the_days_for_which_orders_may_be_placed(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, time_zone="Europe/Berlin") as run:
            await run.ops.put("/v1/stores/s1", json=STORE | {"hours": "00:00-12:00"})
            await run.ops.put("/v1/stores/s2", json=STORE)

            def reach() -> int:
                return run.host.board.stores["s1"].store.spans[-1][1] - run.clock.now()

            before, seq = reach(), run.host.seq
            await store_hours.renew(run.service.host, run.service.config.service.time_zone)
            assert run.host.seq == seq and before > store_hours.NEEDED_S, "nothing to say yet"
            run.clock._at += 10 * DAY_S
            assert reach() < store_hours.NEEDED_S
            await store_hours.renew(run.service.host, run.service.config.service.time_zone)
            assert reach() >= store_hours.NEEDED_S and run.host.seq >= seq + 1
        async with running(tmp_path, time_zone="UTC", clock=run.clock) as again:
            spans = again.host.board.stores["s1"].store.spans
            assert all(opens % DAY_S == 0 for opens, _ in spans), "another time zone is taken up with the start"

    asyncio.run(go())


def test_a_slow_store_says_until_when(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, tenants=("acme",))
            until = run.clock.soon(600)
            slow: dict[str, Any] = {"delay_s": 900, "until": until}
            shown = (await run.orders.post("/v1/stores/s1/throttle", json=slow)).json()
            assert (shown["delay_s"], shown["delay_until"]) == (900, until)
            run.clock._at += 601
            shown = (await run.orders.get("/v1/stores/s1")).json()
            assert (shown["delay_s"], shown["delay_until"]) == (0, None)

    asyncio.run(go())
