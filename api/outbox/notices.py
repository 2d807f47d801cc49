"""Events of the engine as notices to the outside, in the words of the wire.

A delivery's notices go to its tenant, those about riders, stores, rounds and settings to the operator.  A rider's
route and offers are notices too: their phone hears of them by the same cursor.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from api.common.ids import external_id_of, rider_of_offer, tenant_of, timestamp
from api.ledger.protocol import OPERATOR, Notice
from api.outbox.counter import Counters
from dispatch import events as e
from dispatch.board.board import Board
from dispatch.board.records import FOR_EVER
from dispatch.event_handlers import event_handlers

log = logging.getLogger(__name__)


class Notices:
    """Makes notices with their numbers; one for each fact that somebody outside waits for.

    `last`: the highest `sequence` kept for a subject that was not heard of yet.
    """

    def __init__(self, head: int = 0, last: Callable[[str], int] = lambda subject: 0) -> None:
        self.head = head
        # One random draw for all: the number makes the id unique, and a system call for each would be a tenth of what
        # an order costs.
        self._run = secrets.token_hex(8)
        self._last = last
        self._sequences: dict[str, int] = {}
        self.counters = Counters()

    def of(self, events: Iterable[e.Event], board: Board) -> list[Notice]:
        """The notices of events that `board` has applied."""
        found = []
        for event in events:
            if isinstance(event, e.OrderAccepted):
                self._sequences[event.order.order_id] = 0
            elif isinstance(event, e.OrdersLeft):
                self._forget(event.order_ids)
            said = _SAY.get(type(event))
            spoken = _spoken(said, event, board) if said is not None else None
            if spoken is not None:
                found.append(self.make(event.at, *spoken))
            bags = self.counters.news(event, board)
            if bags is not None:
                found.append(self.make(event.at, *_bags(*bags)))
        return found

    def make(self, at: int, tenant: str, kind: str, subject: str, data: dict[str, Any]) -> Notice:
        """One notice with the next number."""
        self.head += 1
        known = self._sequences.get(subject)
        sequence = self._sequences[subject] = (self._last(subject) if known is None else known) + 1
        return Notice(self.head, f"evt_{self._run}{self.head:016x}", tenant, kind, subject, sequence, at, data)

    def _forget(self, subjects: Iterable[str]) -> None:
        """Whatever is still said of them counts on from what is kept."""
        for subject in subjects:
            self._sequences.pop(subject, None)


def _spoken(said: Any, event: e.Event, board: Board) -> Any:
    try:
        return said(event, board)
    except Exception:  # one notice fewer, and not a city that stands still
        log.exception("a notice cannot be made")
        return OPERATOR, "service.notice_failed", "service", {"about": type(event).__name__}


def _delivery(order_id: str, kind: str, **data: Any) -> tuple[str, str, str, dict[str, Any]]:
    known = {"delivery_id": order_id, "external_delivery_id": external_id_of(order_id)}
    return tenant_of(order_id), f"delivery.{kind}", order_id, known | data


def _rider(rider_id: str, kind: str, **data: Any) -> tuple[str, str, str, dict[str, Any]]:
    return OPERATOR, f"rider.{kind}", f"rider:{rider_id}", {"rider_id": rider_id} | data


def _on_order_accepted(event: e.OrderAccepted, board: Board) -> Any:
    return _delivery(event.order.order_id, "created", status="created", due_at=timestamp(event.order.due_at))


def _on_order_revised(event: e.OrderRevised, board: Board) -> Any:
    return _delivery(event.order.order_id, "changed", due_at=timestamp(event.order.due_at))


def _on_order_moved(event: e.OrderMoved, board: Board) -> Any:
    record = board.orders[event.order_id]
    return _delivery(
        event.order_id,
        event.state.value,
        status=event.state.value,
        happened_at=timestamp(event.happened_at),
        rider_id=event.rider_id,
        reason=event.reason,
        expected_dropoff_at=timestamp(record.expected_dropoff_at),
    )


def _on_outcome_corrected(event: e.OutcomeCorrected, board: Board) -> Any:
    return _delivery(
        event.order_id,
        "corrected",
        status=event.state.value,
        happened_at=timestamp(event.happened_at),
        rider_id=event.rider_id,
        reason=event.reason,
    )


def _on_rider_changed(event: e.RiderChanged, board: Board) -> Any:
    before = event.previous_rider_id
    return _delivery(event.order_id, "rider_changed", rider_id=event.rider_id, previous_rider_id=before)


def _on_ready_known(event: e.ReadyKnown, board: Board) -> Any:
    ready_at, expected = timestamp(event.ready_at), timestamp(event.expected_ready_at)
    return _delivery(event.order_id, "ready_changed", expected_ready_at=expected, ready_at=ready_at)


def _on_eta_changed(event: e.EtaChanged, board: Board) -> Any:
    return _delivery(event.order_id, "eta_changed", expected_dropoff_at=timestamp(event.expected_dropoff_at))


def _on_hold_set(event: e.HoldSet, board: Board) -> Any:
    return _delivery(event.order_id, "held" if event.held else "let_go", reason=event.reason)


def _on_order_parked(event: e.OrderParked, board: Board) -> Any:
    return _delivery(event.order_id, "parked", reason=event.reason)


def _on_rider_parked(event: e.RiderParked, board: Board) -> Any:
    return _rider(event.rider_id, "parked", reason=event.reason)


def _on_reason_set(event: e.ReasonSet, board: Board) -> Any:
    kept_until = timestamp(event.kept_until)
    return _delivery(event.order_id, "waiting", reason=event.reason.name, kept_until=kept_until)


def _on_order_at_risk(event: e.OrderAtRisk, board: Board) -> Any:
    return _delivery(event.order_id, "at_risk", reason=event.why, rider_id=event.rider_id, expected_dropoff_at=None)


def _on_order_giving_up(event: e.OrderGivingUp, board: Board) -> Any:
    return _delivery(event.order_id, "giving_up", reason=event.reason, ends_at=timestamp(event.ends_at))


def _on_goods_moved(event: e.GoodsMoved, board: Board) -> Any:
    return _delivery(event.order_id, "goods_moved", reason=event.reason)


def _on_route_revised(event: e.RouteRevised, board: Board) -> Any:
    if not event.told:
        return None
    return _rider(event.route.rider_id, "route", revision=event.route.revision, stops=len(event.route.told))


def _bags(rider_id: str, stop_id: str, order_ids: tuple[str, ...]) -> tuple[str, str, str, dict[str, Any]]:
    return _rider(rider_id, "bags", stop_id=stop_id, deliveries=list(order_ids), tentative=True)


def _on_offer_made(event: e.OfferMade, board: Board) -> Any:
    offer = event.offer
    expires_at = timestamp(offer.expires_at)
    return _rider(
        offer.rider_id, "offer", offer_id=offer.offer_id, deliveries=list(offer.order_ids), expires_at=expires_at
    )


def _on_offer_closed(event: e.OfferClosed, board: Board) -> Any:
    return _rider(rider_of_offer(event.offer_id), "offer_closed", offer_id=event.offer_id, outcome=event.outcome)


def _on_rider_lost(event: e.RiderLost, board: Board) -> Any:
    carried = [
        order_id
        for order_id, record in board.open_orders.items()
        if record.rider_id == event.rider_id and record.state.is_on_board
    ]
    return _rider(event.rider_id, "lost", deliveries_on_board=carried)


def _on_rider_found(event: e.RiderFound, board: Board) -> Any:
    return _rider(event.rider_id, "found")


def _on_shift_opened(event: e.ShiftOpened, board: Board) -> Any:
    shift = event.shift
    return _rider(shift.rider_id, "shift", start_at=timestamp(shift.start_at), end_at=timestamp(shift.end_at))


def _on_shift_closed(event: e.ShiftClosed, board: Board) -> Any:
    return _rider(event.rider_id, "shift_ended")


def _on_break_set(event: e.BreakSet, board: Board) -> Any:
    return _rider(event.rider_id, "break" if event.on_break else "break_ended")


def _on_report_contradicted(event: e.ReportContradicted, board: Board) -> Any:
    return _rider(event.rider_id, "contradicted", stop_id=event.stop_id, about=event.about)


def _on_instant_clamped(event: e.InstantClamped, board: Board) -> Any:
    said_at, taken_at = timestamp(event.said_at), timestamp(event.happened_at)
    return _rider(event.rider_id, "clock_off", stop_id=event.stop_id, said_at=said_at, taken_at=taken_at)


def _on_store_state_set(event: e.StoreStateSet, board: Board) -> Any:
    until = event.closed_until
    data = {
        "store_id": event.store_id,
        "closed": until is not None,
        "closed_until": timestamp(until) if until != FOR_EVER else None,
        "delay_s": event.delay_s,
        "delay_until": timestamp(event.delay_until),
    }
    return OPERATOR, "store.state", f"store:{event.store_id}", data


def _on_zone_state_set(event: e.ZoneStateSet, board: Board) -> Any:
    data = {"zone_id": event.zone_id, "paused": event.paused, "reason": event.reason}
    return OPERATOR, "zone.state", f"zone:{event.zone_id}", data


def _on_setting_set(event: e.SettingSet, board: Board) -> Any:
    return OPERATOR, "settings.changed", "settings", {"key": event.key, "value": event.value}


def _on_preset_set(event: e.PresetSet, board: Board) -> Any:
    data = {"preset": event.preset, "values": dict(event.values)}
    return OPERATOR, "settings.changed", "settings", data


_SAY = event_handlers(globals())
"""Other events are the engine's own business and stay in the journal."""
