"""KPIs: one fold over the journal, the same for a replayed day and a live one.

Feed it every input with its events; ask for `summary`, `orders`, `riders`, `legs_of` at any time.  docs/kpis.md defines
each figure.  Facts (`happened_at`) count, not the instants at which they were learned; the first promise counts.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from dispatch import events as e
from dispatch.errors import taking_in
from dispatch.event_handlers import event_handlers
from dispatch.inputs import Input
from dispatch.model import ActKind, Level, OrderState, Reason, Route, Stop
from dispatch.promise.told import with_said
from dispatch.record import calibration
from dispatch.record.anatomy import PARTS, Anatomy, anatomy_of, load_factor
from dispatch.record.by_kind import by_kind, fee_lines
from dispatch.record.catalogue import Catalogue
from dispatch.record.journal import AGAIN, FIRST_LINE
from dispatch.record.lives import Leg, OrderLife, RiderDay
from dispatch.record.people.chains import Chains
from dispatch.record.people.fold import PeopleFold
from dispatch.record.people.spread import gini
from dispatch.record.use import Uses


def told(event: e.RouteRevised) -> str:
    """What a rider is told by an event, as one line of text: the unit of the decision digest."""
    stops = [
        [stop.place, [[act.order_id, int(act.kind)] for act in stop.acts if act.level >= Level.TOLD]]
        for stop in event.route.told
    ]
    return json.dumps([event.at, event.route.rider_id, stops], ensure_ascii=False, separators=(",", ":"))


def decisions(entries: Iterable[tuple[Any, ...]], before: int | None = None) -> list[str]:
    """Every route told, in order, `before` an instant if one is given.  `entries`: tuples that end in events."""
    return [
        told(event)
        for entry in entries
        for event in entry[-1]
        if isinstance(event, e.RouteRevised) and event.told and (before is None or event.at < before)
    ]


class KpiFold:
    """Follows orders and riders through a journal."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._enter_s = catalogue.places.enter_s
        self._exit_s = catalogue.places.exit_s
        self._places_of_stores = {store.store_id: store.place for store in catalogue.stores}
        self.orders: dict[str, OrderLife] = {}
        self.riders: dict[str, RiderDay] = {
            rider.rider_id: RiderDay(rider, catalogue.begin_at) for rider in catalogue.riders
        }
        self._legs: dict[str, list[Leg]] = {}
        self.uses = Uses(catalogue)
        self.chains, self.people = Chains(), PeopleFold()
        self.counts: Counter[str] = Counter()
        """Rounds, refused changes, dropped answers, contradicted reports, offers by outcome."""
        self._digest = hashlib.sha256()

    def take(self, item: Input, events: Sequence[e.Event]) -> None:
        """Take one handled input and its events in."""
        self.chains.take(events)
        self.people.take(events)
        for event in events:
            handler = _HANDLERS.get(type(event))
            if handler is not None:
                handler(self, event)

    def legs_of(self, rider_id: str) -> list[Leg]:
        """The ways one rider drove, in order."""
        return self._legs.get(rider_id, [])

    @property
    def legs(self) -> list[Leg]:
        """The ways all riders drove, rider by rider."""
        return [leg for legs in self._legs.values() for leg in legs]

    @property
    def decision_digest(self) -> str:
        """SHA-256 over every route told so far."""
        return self._digest.hexdigest()

    # --- figures ------------------------------------------------------------------------------------------------

    def summary(self) -> dict[str, Any]:
        """Every KPI by its name in summary.json; None where it cannot be said."""
        lives = list(self.orders.values())
        done = [life for life in lives if life.delivered_at is not None]
        cancelled = sum(life.state is OrderState.CANCELLED for life in lives)
        kept = [life for life in lives if life.state is not OrderState.CANCELLED]
        doors = [life.click_to_door_s for life in done]
        shift_s = sum(day.shift_s for day in self.riders.values())
        at_work_s = sum(day.at_work_s for day in self.riders.values())
        driven_s = sum(day.driven_s for day in self.riders.values())
        driven_m = sum(day.driven_m for day in self.riders.values())
        return {
            "orders": len(lives),
            "delivered": len(done),
            "undelivered": len(lives) - len(done) - cancelled,
            "cancelled": cancelled,
            "click_to_door_mean_s": _mean(doors),
            "click_to_door_p90_s": _rounded(float(np.percentile(doors, 90))) if doors else None,
            "ready_to_pickup_mean_s": _mean([life.ready_to_pickup_s for life in done]),
            "ready_to_door_mean_s": _mean([life.ready_to_door_s for life in done]),
            "on_time_share": _ratio(sum(life.is_on_time for life in done), len(kept)),
            "lateness_mean_s": _mean([life.lateness_s for life in done]),
            "orders_per_rider_hour": _ratio(len(done) * 3600, shift_s),
            "batched_share": _ratio(sum(life.shared_with > 0 for life in done), len(done)),
            "driven_s_per_order": _ratio(driven_s, len(done)),
            "driven_m_per_order": _ratio(driven_m, len(done)) if driven_m else None,
            "co2_g_per_order": _ratio(self._co2_g(), len(done)) if driven_m else None,
            "utilisation": _ratio(sum(day.busy_s for day in self.riders.values()), at_work_s),
            "empty_moves": sum(day.empty_moves for day in self.riders.values()),
            "cost_per_order": self._cost_per_order(len(done)),
            "rider_hours": _rounded(shift_s / 3600),
            "empty_driven_share": _ratio(self._empty_s(), driven_s),
            "load_factor": load_factor(done),
            **self.chains.lines(life.order.order_id for life in done),
            **{f"{part[:-2]}_mean_s": _mean(seconds) for part, seconds in self._parts(done).items()},
            **calibration.lines(lives),
            **fee_lines(lives),
            "rounds": self.counts["rounds"],
            "counts": dict(sorted(self.counts.items())),
            "decision_digest": self.decision_digest,
            **by_kind(lives),
            **self.uses.lines(lives),
            **self.people.lines(),
            "orders_per_hour_gini": _rounded(gini(d.delivered / d.shift_s for d in self.riders.values() if d.shift_s)),
        }

    def use_by(self, what: str) -> dict[str, dict[str, Any]]:
        """What each `tenant`, `store` or `zone` used of the fleet (docs/kpis.md), by name."""
        return self.uses.by(what, self.orders.values())

    def _empty_s(self) -> int:
        return sum(leg.arrived_at - leg.departed_at for leg in self.legs if leg.empty)

    def _parts(self, done: list[OrderLife]) -> dict[str, list[int]]:
        found = [anatomy for life in done if (anatomy := self.anatomy_of(life)) is not None]
        return {part: [getattr(anatomy, part) for anatomy in found] for part in PARTS}

    def pay_of(self, day: RiderDay) -> float | None:
        """What one rider earned, None where the catalogue says nothing of pay."""
        pay = self._catalogue.pay
        return None if pay is None else pay.of(day.delivered, day.shift_s)

    def _cost_per_order(self, delivered: int) -> float | None:
        if self._catalogue.pay is None:
            return None
        return _ratio(sum(self.pay_of(day) or 0.0 for day in self.riders.values()), delivered)

    def _co2_g(self) -> float:
        if self.uses.says_co2:  # else it is a journal of before, and the catalogue's grams per kilometre count
            return sum(leg.co2_mg for leg in self.legs) / 1_000
        rates = self._catalogue.co2_g_per_km
        return sum(day.driven_m / 1000 * rates.get(day.rider.profile, 0.0) for day in self.riders.values())

    # --- orders -------------------------------------------------------------------------------------------------

    def _on_order_accepted(self, event: e.OrderAccepted) -> None:
        self.orders[event.order.order_id] = OrderLife(event.order)

    def _on_alternative_chosen(self, event: e.AlternativeChosen) -> None:
        self.orders[event.order.order_id].choose(event.order)

    def _on_source_told(self, event: e.SourceTold) -> None:
        self.orders[event.order_id].prepare(event.expected_ready_at, event.why)

    def _on_promise_said(self, event: e.PromiseSaid) -> None:
        life = self.orders[event.order_id]
        life.said = with_said(life.said, event.said)

    def _on_fee_set(self, event: e.FeeSet) -> None:
        self.orders[event.order_id].fee = event.fee

    def anatomy_of(self, life: OrderLife) -> Anatomy | None:
        """Where the minutes of a delivered order went."""
        place = self._places_of_stores.get(life.order.store_id)
        stop_s = (0, 0) if place is None else (int(self._enter_s[place]), int(self._exit_s[place]))
        return anatomy_of(life, *stop_s)

    def _on_store_known(self, event: e.StoreKnown) -> None:
        self._places_of_stores[event.store.store_id] = event.store.place

    def _on_ready_known(self, event: e.ReadyKnown) -> None:
        if event.ready_at is not None:
            self.orders[event.order_id].known_ready_at = event.ready_at

    def _on_reason_set(self, event: e.ReasonSet) -> None:
        if event.reason is not Reason.KEPT:
            self.orders[event.order_id].reason = event.reason

    def _on_order_moved(self, event: e.OrderMoved) -> None:
        self._set_state(event.order_id, event.state, event.happened_at, event.rider_id)
        if event.reason is not None:
            self.orders[event.order_id].end_reason = event.reason

    def _on_outcome_corrected(self, event: e.OutcomeCorrected) -> None:
        picked_up_at = self.orders[event.order_id].picked_up_at
        self._set_state(event.order_id, event.state, event.happened_at, event.rider_id)
        self.orders[event.order_id].picked_up_at = picked_up_at

    def _set_state(self, order_id: str, state: OrderState, happened_at: int, rider_id: str | None) -> None:
        life = self.orders[order_id]
        if life.delivered_at is not None and state is not OrderState.DELIVERED:
            if life.rider_id is not None:
                self._carrier(life).delivered -= 1
            life.delivered_at = None
        life.state = state
        if rider_id is not None:
            life.rider_id = rider_id
        if state is OrderState.PICKED_UP and rider_id is not None:
            life.picked_up_at = happened_at
            life.to_store = self.riders[rider_id].halted
            self._load(rider_id, life)
        life.ended_at = happened_at if state.is_final else None
        if state.is_final:
            for day in self.riders.values() if life.rider_id is None else (self._carrier(life),):
                day.on_board.pop(order_id, None)
        if state is OrderState.DELIVERED:
            if life.delivered_at is None and life.rider_id is not None:
                self._carrier(life).delivered += 1
            life.delivered_at = happened_at
            life.to_door = self._carrier(life).halted if life.rider_id is not None else None

    def _load(self, rider_id: str, life: OrderLife) -> None:
        on_board = self.riders[rider_id].on_board
        on_board[life.order.order_id] = life
        if len(on_board) > 1:
            for other in on_board.values():
                other.shared_with = max(other.shared_with, len(on_board) - 1)

    def _carrier(self, life: OrderLife) -> RiderDay:
        return self.riders[life.rider_id or ""]

    # --- riders -------------------------------------------------------------------------------------------------

    def _on_rider_known(self, event: e.RiderKnown) -> None:
        day = self.riders.setdefault(event.rider.rider_id, RiderDay(event.rider, event.at))
        day.rider = event.rider

    def _on_shift_opened(self, event: e.ShiftOpened) -> None:
        self.riders[event.shift.rider_id].shifts.append(event.shift)

    def _on_shift_closed(self, event: e.ShiftClosed) -> None:
        self.riders[event.rider_id].log_off(event.at)

    def _on_route_revised(self, event: e.RouteRevised) -> None:
        if event.told:
            self._digest.update(told(event).encode() + b"\n")
            self._tell(event.route, event.at)

    def _tell(self, route: Route, at: int) -> None:
        day = self.riders[route.rider_id]
        before = _pickups(day.shown)
        day.shown = [stop for stop in route.told if stop.stop_id not in day.left]
        for order_id in _pickups(day.shown):
            if order_id not in before:
                life = self.orders[order_id]
                life.settled_at = at
                if life.told_at is None:
                    life.told_at = at

    def _on_route_acknowledged(self, event: e.RouteAcknowledged) -> None:
        self.riders[event.rider_id].follow(event.happened_at)

    def _on_rider_arrived(self, event: e.RiderArrived) -> None:
        day = self.riders[event.rider_id]
        stop = day.shown_stop(event.stop_id)
        mg = sum(part for _, part in event.co2_mg)
        leg = day.arrive(event.stop_id, event.happened_at, mg)
        if leg is not None and stop is not None:
            self._legs.setdefault(event.rider_id, []).append(leg)
            self.uses.drive(leg, day, stop, event.co2_mg)

    def _on_rider_done(self, event: e.RiderDone) -> None:
        day = self.riders[event.rider_id]
        stop, before_s = day.shown_stop(event.stop_id), day.served_s + day.waited_s
        exit_s = int(self._exit_s[event.place])
        day.finish(event, int(self._enter_s[event.place]), exit_s)
        self.uses.halt(stop, day.served_s + day.waited_s - before_s)

    # --- counts -------------------------------------------------------------------------------------------------

    def _on_round_closed(self, event: e.RoundClosed) -> None:
        self.counts["rounds"] += 1
        self.counts["refused_changes"] += len(event.refused)
        self.counts["search_work"] += event.work

    def _on_answer_dropped(self, event: e.AnswerDropped) -> None:
        self.counts["dropped_answers"] += 1

    def _on_report_contradicted(self, event: e.ReportContradicted) -> None:
        self.counts["contradicted_reports"] += 1

    def _on_offer_made(self, event: e.OfferMade) -> None:
        self.counts["offers"] += 1

    def _on_offer_closed(self, event: e.OfferClosed) -> None:
        self.counts[f"offers_{event.outcome}"] += 1

    def _on_rider_changed(self, event: e.RiderChanged) -> None:
        self.counts["riders_changed"] += 1


def kpis(catalogue: Catalogue, entries: Iterable[tuple[Any, ...]]) -> KpiFold:
    """The fold over a whole journal; `entries` are journal entries.

    Raises CorruptJournal naming an entry that it cannot take in.
    """
    folded = KpiFold(catalogue)
    for seq, (*_, item, events) in enumerate(entries):
        with taking_in(seq, hint=AGAIN, line=seq + FIRST_LINE):
            folded.take(item, events)
    return folded


def _pickups(stops: Iterable[Stop]) -> dict[str, None]:
    acts = (act for stop in stops for act in stop.acts if act.kind is ActKind.PICKUP)
    return {act.order_id: None for act in acts if act.level >= Level.TOLD}


def _rounded(value: float) -> float:
    return round(value, 4)


def _mean(values: Sequence[int]) -> float | None:
    return _rounded(sum(values) / len(values)) if values else None


def _ratio(part: float, whole: float) -> float | None:
    return _rounded(part / whole) if whole else None


_HANDLERS = event_handlers(vars(KpiFold))
