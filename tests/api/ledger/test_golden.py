"""A ledger written in an earlier schema still folds to what it meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.ledger.protocol import VaultRow
from api.ledger.recovery import place_book
from dispatch.board.board import Board
from dispatch.codec import decode_event, decode_input
from dispatch.model import OrderState
from dispatch.settings.settings import Settings

GOLDEN = sorted((Path(__file__).parent / "golden").glob("ledger-schema-*.json"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_an_old_ledger_still_folds(path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8"))
    places = place_book(kept["header"]["frame"], (VaultRow(*row) for row in kept["vault"]))
    board = Board(places, Settings.stated(kept["header"]["settings"]))
    for _, at, said, events in kept["entries"]:
        assert decode_input(said).at == at
        for event in events:
            board.apply(decode_event(event))
    states = {order_id: record.state for order_id, record in board.orders.items()}
    assert states == {
        "acme.o1": OrderState.DELIVERED,
        "acme.o2": OrderState.DELIVERED,
        "acme.o3": OrderState.CANCELLED,
        "acme.o4": OrderState.CREATED,
    }
    assert board.orders["acme.o2"].order.load_units == 2 and board.settings.rules.round_s == 7
    assert board.stores["s1"].delay_s == 30 and "z" in board.zones and board.riders["r2"].on_break
    assert Board.load(places, board.dump()).dump() == board.dump()


def test_every_schema_has_its_ledger() -> None:
    from dispatch.codec import SCHEMA_VERSION

    assert [path.stem for path in GOLDEN] == [f"ledger-schema-{version}" for version in range(1, SCHEMA_VERSION + 1)]
