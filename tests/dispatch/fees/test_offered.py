"""What an offer says of its trip: stops, seconds, metres, and its pay by the tariff."""

from __future__ import annotations

import pytest

from dispatch.engine.offered import OfferedTrip, asked_of, pay_for
from dispatch.model import Act, ActKind, Level, Stop
from dispatch.settings.tariff import tariff_of


def stop(at: int, leg_m: int, *acts: tuple[str, ActKind], walk_m: int = 0) -> Stop:
    """A stop left at `at`, a minute after it was reached."""
    done = tuple(Act(order_id, kind, Level.OFFERED) for order_id, kind in acts)
    return Stop("", 0, None, Level.TENTATIVE, done, 60, leg_m, at - 60, at - 60, at, walk_m=walk_m)


ROUTE = (
    stop(100, 250, ("told", ActKind.DROP)),
    stop(400, 500, ("a", ActKind.PICKUP), ("b", ActKind.PICKUP)),
    stop(700, 900, ("a", ActKind.DROP), walk_m=40),
    stop(800, 10, ("told too", ActKind.DROP)),
    stop(1000, 300, ("b", ActKind.DROP)),
    stop(2000, 9_999, ("later", ActKind.DROP)),
)


def test_a_trip_goes_from_what_lies_before_it_to_its_last_door() -> None:
    assert asked_of(ROUTE, ("a", "b"), 0) == OfferedTrip(4, 1000 - 100, 500 + 900 + 40 + 10 + 300)
    assert asked_of(ROUTE, ("a",), 0) == OfferedTrip(2, 700 - 100, 500 + 900 + 40)


def test_a_rider_with_nothing_to_do_before_sets_off_now() -> None:
    assert asked_of(ROUTE[1:], ("b",), 150) == OfferedTrip(4, 1000 - 150, 1750)
    assert asked_of(ROUTE, ("nobody's",), 0) == OfferedTrip(0, 0, 0)


@pytest.mark.parametrize(
    ("tariff", "pay"),
    [
        ("", None),
        ("base 250; km 60", None),  # what customers are charged says nothing of riders
        ("cost hour 1800", 450),
        ("cost order 40; cost hour 1800; cost km 12", 2 * 40 + 450 + 21),
    ],
)
def test_pay_is_what_the_tariff_says_that_orders_hours_and_kilometres_cost(tariff: str, pay: int | None) -> None:
    assert pay_for(tariff_of(tariff), 2, OfferedTrip(4, 900, 1750)) == pay
