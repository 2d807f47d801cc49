"""A key that is ended on one host ends on all of them within seconds, whatever each has in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from api.access.keys import KeyBook
from api.common.api_keys import Scope
from api.ledger.protocol import LedgerFailed
from api.live.upkeep import chores
from halfhour.live import front
from tests.kit.service.postgres import Server, fresh, holding

pytest.importorskip("psycopg", reason="needs psycopg: pip install 'halfhour[postgres]'")

SECRET = b"0123456789abcdef0123456789abcdef"
MOST_S = 5.0


def test_two_looks_at_the_keys_fit_into_what_is_promised() -> None:
    """One look may fail: the next one is there in time."""
    assert 2 * chores.KEYS_EVERY_S < MOST_S and 2 * front.KEYS_EVERY_S < MOST_S


def test_a_key_ended_elsewhere_ends_here_by_the_second_look(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "KEYS_EVERY_S", 0.01)
    url = fresh(postgres, "unused").partition("#")[0]
    here, there = holding(f"{url}#munich", ttl_s=60.0), holding(f"{url}#porto", ttl_s=60.0)
    ours, theirs = KeyBook(SECRET, here), KeyBook(SECRET, there)
    now = int(time.time())
    text, key = theirs.make("acme", [Scope.ORDERS], now)
    token, _ = theirs.rider_token("acme", "r1", now, key_id=key.key_id)
    looks = 0

    async def asked(question: Callable[[], Any]) -> Any:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise LedgerFailed("the database is away for a moment")
        return await asyncio.to_thread(question)

    async def seen() -> None:
        async with asyncio.timeout(60):
            keeping = asyncio.create_task(chores.keep_keys(SimpleNamespace(asked=asked), here, ours))  # type: ignore[arg-type]
            while ours.find(text, now) is None:
                await asyncio.sleep(0.01)
            assert ours.find_rider(token, now) is not None
            theirs.revoke(key.key_id, now)
            begun = looks
            while looks < begun + 3:  # one may be under way, and one fails
                await asyncio.sleep(0.001)
            keeping.cancel()

    asyncio.run(seen())
    assert ours.find(text, now) is None, "the key"
    assert ours.find_rider(token, now) is None, "and what it vouched for"
    here.close()
    there.close()
