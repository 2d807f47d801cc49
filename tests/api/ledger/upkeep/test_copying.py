"""A ledger moved between a folder and a database is the same ledger: whole, checked, and served on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from api.ledger.opening import opened, reader_of
from api.ledger.protocol import CorruptLedger, Write
from api.ledger.recovery import recover
from api.ledger.upkeep import copying
from api.ledger.upkeep.copying import copy
from dispatch.settings.settings import Settings
from routing.errors import InvalidInput
from tests.kit.service.postgres import Server, fresh
from tests.kit.service.running import order, running, with_city
from tests.kit.service.stores import entry


async def _a_day(folder: Path) -> None:
    async with running(folder, engine={"rules.ended_keep_s": 1}) as run:
        await with_city(run, riders=2)
        hook = {"url": "http://127.0.0.1:9/in", "kinds": []}
        assert (await run.orders.post("/v1/webhooks", json=hook)).status_code == 201
        for name in ("gone", "open"):
            key = {"Idempotency-Key": name}
            assert (await run.orders.post("/v1/deliveries", json=order(name), headers=key)).status_code == 201
        assert (await run.orders.post("/v1/deliveries/gone/cancel")).status_code == 200
        await run.until(lambda: "acme.gone" not in run.host.board.orders)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a city that was lived for a moment."""
    folder = tmp_path_factory.mktemp("city") / "ledger"
    asyncio.run(_a_day(folder))
    return folder


def everything(address: str) -> dict[str, Any]:
    """All that a ledger holds, but for how it is kept."""
    reader = reader_of(address)
    try:
        return {
            "identity": reader.identity, "entries": list(reader.entries()), "vault": list(reader.vault()),
            "answers": sorted(reader.answers()), "notices": reader.notices(limit=10_000),
            "ended": reader.ended_orders(limit=10_000), "webhooks": reader.webhooks(),
            "dues": sorted((due.webhook_id, due.notice.seq, due.attempts, due.due_at) for due in reader.dues()),
            "keys": sorted(reader.load_keys(), key=lambda key: key.key_id), "tenants": reader.tenants(),
            "values": sorted((name, value) for name, value in reader.values() if name != "identity"),
            "board": recover(reader, Settings()).board.dump(),
        }  # fmt: skip
    finally:
        reader.close()


def test_there_and_back_again_everything_is_as_it_was(city: Path, postgres: Server, tmp_path: Path) -> None:
    there, back = fresh(postgres, "munich"), str(tmp_path / "back")
    before = everything(str(city))
    assert before["dues"] and before["ended"] and before["answers"], "there is something to lose"
    found = copy(str(city), there)
    assert everything(there) == before
    assert found.entries == len(before["entries"]) and found.notices == len(before["notices"])
    assert copy(there, back) == found
    assert everything(back) == before


def test_what_was_copied_is_served_on(city: Path, tmp_path: Path) -> None:
    """Into another folder: the same kind of store, and the service begins over it as after any restart."""
    target = tmp_path / "moved"
    copy(str(city), str(target))

    async def serve() -> None:
        async with running(target) as run:
            answer = await run.orders.get("/v1/deliveries/open")
            assert answer.status_code == 200, answer.text
            again = await run.orders.post("/v1/deliveries", json=order("open"), headers={"Idempotency-Key": "open"})
            assert again.headers["Idempotent-Replayed"] == "true"

    asyncio.run(serve())


def test_a_target_that_holds_something_is_left_alone(city: Path, postgres: Server, tmp_path: Path) -> None:
    used = opened(str(tmp_path / "used"))
    used.append(Write(entry(1))).result()
    used.close()
    with pytest.raises(InvalidInput, match="already"):
        copy(str(city), str(tmp_path / "used"))
    market = fresh(postgres, "used")
    opened(market).close()
    with pytest.raises(InvalidInput, match="already"):
        copy(str(city), market)


def test_a_copy_that_lacks_something_is_an_error(city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_all_ended", lambda reader, real=copying._all_ended: _one_less(real, reader))
    with pytest.raises(CorruptLedger, match="is not what its source is"):
        copy(str(city), str(tmp_path / "lacking"))


_seen: list[int] = []


def _one_less(real: Any, reader: Any) -> list[Any]:
    """Drops an order while it is copied, and not while it is counted."""
    _seen.append(1)
    rows = list(real(reader))
    return rows[1:] if len(_seen) == 1 else rows
