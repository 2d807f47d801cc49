"""Figures of riders as people: whether pairs that must not meet have met."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dispatch import events as e
from dispatch.event_handlers import event_handlers
from dispatch.model import Order, OrderState
from dispatch.people.apart import Pairs, parted, with_pair, without_pair


class PeopleFold:
    """Follows riders through a journal, by its events alone."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._apart: dict[str, Pairs] = {}
        self._apart_set = self._apart_met = self._rests = self._rest_s = 0

    def take(self, events: Iterable[e.Event]) -> None:
        """Take the events of one input in."""
        for event in events:
            handler = _HANDLERS.get(type(event))
            if handler is not None:
                handler(self, event)

    def lines(self) -> dict[str, Any]:
        """Lines of summary.json; none where the day knows nothing of them."""
        said: dict[str, Any] = {}
        if self._apart_set:
            said |= {"apart_set": self._apart_set, "apart_met": self._apart_met}
        if self._rests:
            said |= {"rests_given": self._rests, "rest_hours": round(self._rest_s / 3600, 4)}
        return said

    def _on_order_accepted(self, event: e.OrderAccepted) -> None:
        self._orders[event.order.order_id] = event.order

    def _on_order_revised(self, event: e.OrderRevised) -> None:
        self._orders[event.order.order_id] = event.order

    def _on_apart_known(self, event: e.ApartKnown) -> None:
        pairs, pair = self._apart.get(event.rider_id, ()), event.pair
        self._apart[event.rider_id] = (
            with_pair(pairs, pair) if event.apart else without_pair(pairs, pair.party, pair.name)
        )
        self._apart_set += event.apart

    def _on_rest_given(self, event: e.RestGiven) -> None:
        self._rests += 1
        self._rest_s += event.until - event.at

    def _on_order_moved(self, event: e.OrderMoved) -> None:
        """Goods that are fetched by whoever must not meet their store or their customer."""
        pairs = self._apart.get(event.rider_id or "", ())
        if pairs and event.state is OrderState.PICKED_UP:
            self._apart_met += parted(pairs, self._orders[event.order_id]) is not None


_HANDLERS = event_handlers(vars(PeopleFold))
