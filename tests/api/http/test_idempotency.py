"""One key, one command: also when both requests come before the first is done."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.kit.service.running import order, running, with_city


def test_two_requests_under_one_key_at_once_are_one_command(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            headers = {"Idempotency-Key": "once"}
            answers = await asyncio.gather(
                *(run.orders.post("/v1/deliveries", json=order(), headers=headers) for _ in range(4))
            )
            assert [answer.status_code for answer in answers] == [201] * 4
            assert len({answer.content for answer in answers}) == 1
            assert sum("idempotent-replayed" in answer.headers for answer in answers) == 3
            other = await run.orders.post("/v1/deliveries", json=order("o2"), headers=headers)
            assert other.status_code == 422 and other.json()["code"] == "key_reused"

    asyncio.run(go())
