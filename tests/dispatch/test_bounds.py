"""What the engine can hold, to the last value: one inside each bound is taken, one outside is named."""

from __future__ import annotations

import pytest

from dispatch.bounds import Flaw, flaw_in, flaw_of
from dispatch.model import Order
from dispatch.ways import Source

NOW = 1_700_000_000
YEAR_S = 366 * 86_400


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("ready_at", (NOW - YEAR_S, NOW + YEAR_S), (NOW - YEAR_S - 1, NOW + YEAR_S + 1)),
        ("until", (NOW - YEAR_S, NOW + YEAR_S), (NOW - YEAR_S - 1, NOW + YEAR_S + 1)),
        ("max_on_board_s", (0, YEAR_S), (-1, YEAR_S + 1)),
        ("load_units", (0, 1_000_000), (-1, 1_000_001)),
        ("priority", (-100, 100), (-101, 101)),
        ("needs", (0, 2**62 - 1), (-1, 2**62)),
        ("provides", (0, 2**62 - 1), (-1, 2**62)),
    ],
)
def test_each_bound_is_where_it_is_said_to_be(name: str, inside: tuple[int, int], outside: tuple[int, int]) -> None:
    assert [flaw_in(name, value, NOW) for value in inside] == [None, None]
    found = [flaw_in(name, value, NOW) for value in outside]
    assert all(isinstance(flaw, Flaw) and flaw.field == name and flaw.why for flaw in found)


def test_what_is_no_number_and_what_has_no_bound_is_let_pass() -> None:
    assert flaw_in("ready_at", "soon", NOW) is None and flaw_in("held", True, NOW) is None
    assert flaw_in("revision", 2**40, NOW) is None


def test_what_stands_in_a_list_is_looked_at_too() -> None:
    def order(prepare_s: int) -> Order:
        sources = (Source("s1"), Source("s2", prepare_s))
        return Order("o1", "s1", 0, placed_at=NOW, expected_ready_at=NOW, due_at=NOW + 1, sources=sources)

    assert flaw_of(order(YEAR_S), NOW) is None
    flaw = flaw_of(order(YEAR_S + 1), NOW)
    assert flaw is not None and flaw.field == "sources" and "prepare_s" in flaw.why
