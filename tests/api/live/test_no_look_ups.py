"""While an input is taken in nobody waits for a look-up: with a database behind a network the whole market would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.live.upkeep.erasure import erase
from tests.kit.service.loops import in_a_loop
from tests.kit.service.running import DROP, Running, order, planned, running, with_city

READS = (
    "vault_row", "vault_of", "vault", "sequence_of", "sequences_of", "ended_order", "ended_orders", "answer", "value",
    "notices", "notice_head", "webhooks", "tenants", "head", "header", "load_keys",
)  # fmt: skip


def watched(run: Running, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is looked up in the ledger while an input is taken in."""
    inside: list[bool] = []
    asked: list[str] = []
    tell = run.host._tell

    def telling(*given: Any, **more: Any) -> Any:
        inside.append(True)
        try:
            return tell(*given, **more)
        finally:
            inside.pop()

    monkeypatch.setattr(run.host, "_tell", telling)
    for name in READS:
        real = getattr(run.ledger, name)

        def looked_up(*given: Any, name: str = name, real: Any = real, **more: Any) -> Any:
            if inside:
                asked.append(name)
            return real(*given, **more)

        monkeypatch.setattr(run.ledger, name, looked_up)
    return asked


async def lives(run: Running) -> None:
    """Orders, their changes, riders and stores, as a market hears of them."""
    for name in ("o1", "o2", "o3"):
        made = await run.orders.post("/v1/deliveries", json=order(name), headers={"Idempotency-Key": name})
        assert made.status_code in (200, 201), made.text
    assert (await run.orders.post("/v1/deliveries/o3/cancel")).status_code == 200
    assert (await run.orders.post("/v1/deliveries/o1/ready")).status_code == 200
    moved = await run.orders.patch("/v1/deliveries/o2", json={"dropoff": DROP | {"address": "Finch Street 1"}})
    assert moved.status_code in (200, 409, 412, 428), moved.text
    await planned(run)
    assert (await run.riders.get("/v1/riders/r1/route")).status_code == 200
    assert (await run.ops.put("/v1/stores/s1", json={"location": {"lat": 48.1371, "lng": 11.575}})).status_code == 200


@in_a_loop
async def test_nothing_is_looked_up_within_an_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path / "city") as run:
        asked = watched(run, monkeypatch)
        await with_city(run)
        await lives(run)
    assert asked == []


@in_a_loop
async def test_nor_after_a_restart_of_what_was_there_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path / "city") as run:
        await with_city(run)
        for name in ("o1", "o2"):
            assert (await run.orders.post("/v1/deliveries", json=order(name))).status_code == 201
        last = {notice.subject: notice.sequence for notice in run.ledger.notices()}
    async with running(tmp_path / "city") as run:
        head = run.ledger.notice_head()
        asked = watched(run, monkeypatch)
        await lives(run)
        await run.host.settled()
        assert asked == []
        first = {notice.subject: notice.sequence for notice in reversed(run.ledger.notices(head))}
        assert first["acme.o1"] == last["acme.o1"] + 1, "numbers go on where they were"


@in_a_loop
async def test_what_is_said_of_an_order_long_gone_counts_on(tmp_path: Path) -> None:
    async with running(tmp_path / "city", engine={"rules.ended_keep_s": 1}) as run:
        await with_city(run)
        for name in ("gone", "open"):
            assert (await run.orders.post("/v1/deliveries", json=order(name))).status_code == 201
        assert (await run.orders.post("/v1/deliveries/gone/cancel")).status_code == 200
        await run.until(lambda: "acme.gone" not in run.host.board.orders)
        await run.host.settled()
    async with running(tmp_path / "city") as run:
        before = run.ledger.sequence_of("acme.gone")
        assert before > 0
        await erase(run.host, await run.host.any_order("acme.gone"))
        assert run.ledger.sequence_of("acme.gone") == before + 1
        told = run.ledger.notices(subject="acme.gone")
        assert [notice.sequence for notice in told] == list(range(1, len(told) + 1))
