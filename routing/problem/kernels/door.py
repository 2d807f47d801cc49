"""The price of handing a request over: plain Python, which the searches compile and a round calls as it is."""

from __future__ import annotations

from typing import Any


def door_price(
    at: Any, placed: Any, due_first: Any, due_second: Any, slope_first: Any, slope_second: Any, slope_last: Any,
    fee_first: Any, fee_second: Any,
) -> Any:  # fmt: skip
    """Price at tick `at`: a slope up to each threshold and one beyond, and a fee for passing each threshold."""
    first = max(due_first, placed)
    second = max(due_second, first)
    price = slope_first * max(0, min(at, first) - placed)
    if at > first:
        price += slope_second * (min(at, second) - first)
    if at > second:
        price += slope_last * (at - second)
    if at > due_first:
        price += fee_first
    if at > due_second:
        price += fee_second
    return price
