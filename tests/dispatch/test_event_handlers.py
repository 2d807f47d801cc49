"""Readers of events find the function for a kind by its name, and a misspelt name never passes."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from dispatch import events as e
from dispatch.event_handlers import event_handlers


def _takes(*names: str) -> dict[str, Any]:
    return {name: partial(str, name) for name in names}


def test_a_function_takes_the_event_that_its_name_says() -> None:
    names = _takes("_on_order_moved", "_on_eta_changed", "order_moved", "_order_moved")
    found = event_handlers(names)
    assert found == {e.OrderMoved: names["_on_order_moved"], e.EtaChanged: names["_on_eta_changed"]}


def test_a_name_of_no_event_is_refused() -> None:
    with pytest.raises(TypeError, match="_on_order_mooved"):
        event_handlers(_takes("_on_order_moved", "_on_order_mooved"))


def test_who_must_take_all_is_told_what_is_missing() -> None:
    with pytest.raises(TypeError, match="_on_eta_changed"):
        event_handlers(_takes("_on_order_moved"), of_all=True)
