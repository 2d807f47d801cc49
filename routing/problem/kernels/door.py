"""The price of handing a request over: plain Python, which the searches compile and a round calls as it is.

price |                              / slope_last
      |                             |
      |                             | fee_second
      |                 ___--- ----/
      |                |   slope_second
      |    ____-------/  fee_first
      |---/  slope_first
      +---|------------|-----------|---------> tick
       placed      due_first   due_second
"""

from __future__ import annotations

from typing import Any

import numpy as np


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


def door_slopes(late: Any, over: Any, slope: Any, rise: Any) -> Any:
    """What `late` ticks more add below the second threshold, in 32 bits for loops over lanes.

    `over`: ticks past the first threshold before (negative: to it); `rise`: what the slope rises by there.  The request
    has been placed, and its thresholds follow each other.
    """
    more = np.int32(max(np.int32(over + late), np.int32(0)) - max(over, np.int32(0)))
    return np.int32(np.int32(slope * late) + np.int32(rise * more))


def door_steps(late: Any, over: Any, then: Any, step: Any, fee_first: Any, fee_second: Any) -> Any:
    """What `late` ticks more add besides `door_slopes`: the second rise of the slope, `step`, and both fees.

    `then`: ticks past the second threshold before.
    """
    price = np.int32(step * np.int32(max(np.int32(then + late), np.int32(0)) - max(then, np.int32(0))))
    price += fee_first * (np.int32(over + late > 0) - np.int32(over > 0))
    price += fee_second * (np.int32(then + late > 0) - np.int32(then > 0))
    return np.int32(price)
