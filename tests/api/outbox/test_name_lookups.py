"""Look-ups of names: a silent name server costs its own tenant, and nobody else."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from api.common.retry_after import wait_s
from api.outbox.name_lookups import Lookups, NameUnknown

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class NameServer:
    """Knows every name but those that begin with `silent` (never an answer) and `unknown`."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.speaks = threading.Event()

    def find(self, host: str, port: int) -> list[str]:
        self.asked[host] += 1
        if host.startswith("silent"):
            self.speaks.wait(60)
        if host.startswith("unknown"):
            raise OSError("no such name")
        return ["93.184.216.34"]


@asynccontextmanager
async def names(**limits: float) -> AsyncIterator[tuple[Lookups, NameServer, list[float]]]:
    server, now = NameServer(), [0.0]
    usual: dict[str, float] = {"most": 8, "most_each": 4, "patience_s": 0.1}
    try:
        yield Lookups(server.find, clock=lambda: now[0], **(usual | limits)), server, now  # type: ignore[arg-type]
    finally:
        server.speaks.set()


async def test_five_silent_names_of_one_tenant_keep_nobody_else_waiting() -> None:
    async with names(patience_s=30) as (found, _, _):
        silent = [asyncio.create_task(found.find("acme", f"silent{k}.example", 443)) for k in range(20)]
        await asyncio.sleep(0.05)
        async with asyncio.timeout(20):
            for k in range(5):
                assert await found.find("bee", f"good{k}.example", 443) == ["93.184.216.34"]
        assert not any(task.done() for task in silent)
        for task in silent:
            task.cancel()
        await asyncio.gather(*silent, return_exceptions=True)


async def test_however_many_tenants_have_silent_names_the_next_one_finds_room() -> None:
    async with names(patience_s=30, most=16) as (found, server, _):
        silent = [asyncio.create_task(found.find(f"t{k % 6}", f"silent{k}.example", 443)) for k in range(60)]
        await asyncio.sleep(0.05)
        assert server.asked.total() <= 15
        async with asyncio.timeout(20):
            assert await found.find("bee", "good.example", 443) == ["93.184.216.34"]
        for task in silent:
            task.cancel()
        await asyncio.gather(*silent, return_exceptions=True)


async def test_nobody_waits_longer_than_the_limit_and_a_silent_name_is_left_alone_for_a_while() -> None:
    async with names(rest_s=15) as (found, server, now):
        with pytest.raises(TimeoutError):
            await found.find("acme", "silent.example", 443)
        with pytest.raises(NameUnknown):
            await found.find("bee", "silent.example", 443)
        assert server.asked["silent.example"] == 1
        server.speaks.set()
        now[0] = 15.0
        assert await found.find("acme", "silent.example", 443) == ["93.184.216.34"]


async def test_what_was_found_is_known_for_a_while_and_asked_again_then() -> None:
    async with names(keep_s=60) as (found, server, now):
        together = await asyncio.gather(*(found.find("acme", "good.example", 443) for _ in range(9)))
        assert together == [["93.184.216.34"]] * 9 and server.asked["good.example"] == 1
        now[0] = 59.0
        await found.find("bee", "good.example", 443)
        assert server.asked["good.example"] == 1
        now[0] = 60.0
        await found.find("bee", "good.example", 443)
        assert server.asked["good.example"] == 2


async def test_numbers_need_no_look_up_and_unknown_names_say_so() -> None:
    async with names() as (found, server, _):
        assert await found.find("acme", "93.184.216.34", 443) == ["93.184.216.34"]
        assert await found.find("acme", "2606:4700::1111", 443) == ["2606:4700::1111"]
        for _ in range(2):
            with pytest.raises(NameUnknown):
                await found.find("acme", "unknown.example", 443)
        assert server.asked == {"unknown.example": 1}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("77", 77), (" 77 ", 77), ("", 0), ("soon", 0), ("-5", 0), ("1e3", 0), ("9" * 40, 0), ("\u0667", 0),
        ("Sun, 15 Jun 2025 15:08:00 GMT", 80), ("Sun, 15 Jun 2025 15:06:40 GMT", 0),
        ("Sat, 14 Jun 2025 00:00:00 GMT", 0),
        ("Sun, 15 Jun 2025 25:99:00 GMT", 0),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(header: str, expected: int) -> None:
    assert wait_s(header, 1_750_000_000.0) == expected
