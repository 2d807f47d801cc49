"""Events of the engine as notices to the outside, in the words of the wire.

A delivery's notices go to its tenant, those about riders, stores, rounds and settings to the operator.  A rider's
route and offers are notices too: their phone hears of them by the same cursor.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from api.common.ids import external_id_of, tenant_of, timestamp
from api.ledger.outbox import Notice
from api.ledger.protocol import OPERATOR
from api.outbox.counter import Counters
from dispatch import events as e
from dispatch.board.board import Board
from dispatch.board.records import FOR_EVER
from dispatch.event_handlers import event_handlers
from dispatch.model import OrderState
from dispatch.people.apart import Party
from dispatch.receipts import rider_of_offer

log = logging.getLogger(__name__)

MOST_LEFT = 10_000
"""Orders that have left the board and of which something may yet be said at once; others are looked up before."""


class Notices:
    """Makes notices with their numbers; one for each fact that somebody outside waits for.

    `sequences`: the highest `sequence` kept for each subject that may yet be spoken of; nothing here looks one up, for
    nobody may wait for a look-up while an input is taken in.
    """

    def __init__(self, head: int = 0, sequences: Mapping[str, int] | None = None) -> None:
        self.head = head
        # One random draw for all: the number makes the id unique, and a system call for each would be a tenth of what
        # an order costs.
        self._run = secrets.token_hex(8)
        self._sequences: dict[str, int] = dict(sequences or {})
        self._left: dict[str, int] = {}
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
        counted = self._left if subject in self._left else self._sequences
        sequence = counted[subject] = counted.get(subject, 0) + 1
        return Notice(self.head, f"evt_{self._run}{self.head:016x}", tenant, kind, subject, sequence, at, data)

    def counts(self, subject: str) -> bool:
        """True where the last `sequence` of a subject is at hand."""
        return subject in self._sequences or subject in self._left

    def learn(self, subject: str, sequence: int) -> None:
        """The highest `sequence` that is kept for a subject of the past, before something is said of it."""
        self._remember(subject, sequence)

    def _forget(self, subjects: Iterable[str]) -> None:
        """Of orders that have left the board little is said: only the last ones are remembered."""
        for subject in subjects:
            self._remember(subject, self._sequences.pop(subject, 0))

    def _remember(self, subject: str, sequence: int) -> None:
        self._left[subject] = max(sequence, self._left.pop(subject, 0))
        while len(self._left) > MOST_LEFT:
            del self._left[next(iter(self._left))]


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
    fee = board.orders[event.order.order_id].fee
    charged = {} if fee is None else {"fee": fee.amount, "marginal_cost": fee.cost}
    due_at = timestamp(event.order.due_at)
    return _delivery(event.order.order_id, "created", status="created", due_at=due_at, **charged)


def _on_order_revised(event: e.OrderRevised, board: Board) -> Any:
    return _delivery(event.order.order_id, "changed", due_at=timestamp(event.order.due_at))


def _on_order_moved(event: e.OrderMoved, board: Board) -> Any:
    record = board.orders[event.order_id]
    driven = {"co2_g": round(record.co2_mg / 1_000, 1)} if event.state is OrderState.DELIVERED else {}
    return _delivery(
        event.order_id,
        event.state.value,
        **driven,
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


def _on_alternative_chosen(event: e.AlternativeChosen, board: Board) -> Any:
    order = event.order
    return _delivery(order.order_id, "source_chosen", store_id=order.store_id, end=order.end.name)


def _on_source_told(event: e.SourceTold, board: Board) -> Any:
    ready_at = timestamp(event.expected_ready_at)
    return _delivery(
        event.order_id, "source_told", store_id=event.store_id, expected_ready_at=ready_at, reason=event.why
    )


def _on_source_opened(event: e.SourceOpened, board: Board) -> Any:
    return _delivery(event.order_id, "source_opened", store_id=event.store_id, reason=event.why)


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
        offer.rider_id, "offer", offer_id=offer.offer_id, deliveries=list(offer.order_ids), expires_at=expires_at,
        stops=offer.stops, work_s=offer.work_s, way_m=offer.way_m, pay=offer.pay,
    )  # fmt: skip


def _on_offer_closed(event: e.OfferClosed, board: Board) -> Any:
    return _rider(
        rider_of_offer(event.offer_id),
        "offer_closed",
        offer_id=event.offer_id,
        outcome=event.outcome,
        reason=event.reason or None,
    )


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
    why = {"reason": event.reason} if event.by else {}
    return _rider(event.rider_id, "shift_ended", **why)


def _on_break_set(event: e.BreakSet, board: Board) -> Any:
    return _rider(event.rider_id, "break" if event.on_break else "break_ended")


def _on_rest_given(event: e.RestGiven, board: Board) -> Any:
    return _rider(event.rider_id, "rest", until=timestamp(event.until), reason=event.why)


def _on_decision_reversed(event: e.DecisionReversed, board: Board) -> Any:
    return _rider(event.rider_id, "reversed", receipt=event.number, reason=event.reason)


def _on_apart_known(event: e.ApartKnown, board: Board) -> Any:
    pair = event.pair
    about = {"store_id": pair.name} if pair.party is Party.STORE else {}
    return _rider(
        event.rider_id, "apart" if event.apart else "apart_ended", party=pair.party.value, **about, reason=pair.reason
    )


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
