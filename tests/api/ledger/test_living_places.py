"""A start reads the places that somebody may still ask for, not the doors of all orders that there ever were."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.ledger import recovery
from api.ledger.protocol import VaultRow, Write
from api.ledger.recovery import recover
from api.ledger.sqlite.store import SqliteLedger
from dispatch.rounds.freeze import freeze
from dispatch.settings.settings import Settings
from routing.cells import cell_of
from routing.places import RESOLUTION, PlaceBook
from tests.kit.service.running import order, planned, running, with_city
from tests.kit.service.stores import Stored


async def _a_day(folder: Path) -> None:
    async with running(folder, engine={"rules.ended_keep_s": 1}) as run:
        await with_city(run, riders=2)
        for name in ("gone", "open", "other"):
            assert (await run.orders.post("/v1/deliveries", json=order(name))).status_code == 201
        await planned(run, "acme.open")
        assert (await run.orders.post("/v1/deliveries/gone/cancel")).status_code == 200
        await run.until(lambda: "acme.gone" not in run.host.board.orders)
        run.host.keep_snapshot() if run.host._state.pending == 0 else None
        assert (await run.orders.post("/v1/deliveries", json=order("late"))).status_code == 201


def test_places_of_ended_orders_are_not_read_and_nobody_misses_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "IN_HAND", 0)
    asyncio.run(_a_day(tmp_path))
    ledger = SqliteLedger(tmp_path)
    read: list[int] = []
    whole = ledger.vault

    def counted(of: Any = None, after: int = -1) -> Any:
        rows = list(whole(of, after))
        read.extend(row.handle for row in rows)
        return iter(rows)

    monkeypatch.setattr(ledger, "vault", counted)
    found = recover(ledger, Settings())
    everything = [row.handle for row in whole()]
    gone = next(row.handle for row in whole() if row.subject == "acme.gone")
    assert gone not in read and set(read) < set(everything)
    monkeypatch.setattr(recovery, "_living", lambda ledger, snapshot: whole())
    same = recover(ledger, Settings())
    assert found.board.dump() == same.board.dump() and len(found.places) == len(same.places)
    for handle in read:
        assert (found.places.first[handle], found.places.second[handle]) == (
            same.places.first[handle], same.places.second[handle],
        )  # fmt: skip
    mine, theirs = freeze(found.board).problem, freeze(same.board).problem
    for one, other in zip(mine, theirs, strict=True):
        if isinstance(one, np.ndarray):
            assert np.array_equal(one, other)
    ledger.close()


def test_rows_are_read_by_handle(ledger: Stored) -> None:
    rows = tuple(VaultRow(handle, "acme", "drop", f"o{handle}", 1.0, 2.0) for handle in range(10))
    ledger.append(Write(vault=rows)).result()
    assert [row.handle for row in ledger.vault([1, 3, 7], 5)] == [1, 3, 6, 7, 8, 9]
    assert [row.handle for row in ledger.vault([], 8)] == [9]
    assert [row.handle for row in ledger.vault()] == list(range(10))


def test_padding_makes_places_that_lie_nowhere() -> None:
    book = PlaceBook("wgs84")
    book.add(48.0, 11.0)
    book.pad(200)
    book.pad(10)
    assert len(book) == 200 and book.add(49.0, 12.0) == 200
    assert (book.first[5], book.second[199], book.matrix_row[7]) == (0.0, 0.0, -1)
    assert book.cell[100] == cell_of(0.0, 0.0, RESOLUTION) and book.first[0] == 48.0
