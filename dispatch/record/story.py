"""One order's life in plain words, read from the journal: promise, who, why this rider, next best, and how it ended."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any, NamedTuple

from dispatch import custody
from dispatch import events as e
from dispatch.alternatives.words import dearer_ways, end_text, told_ways
from dispatch.calendar.local_time import zone_of
from dispatch.codec import plain
from dispatch.custody import Chain, Custody, Keeper
from dispatch.errors import Refused, taking_in
from dispatch.event_handlers import event_handlers
from dispatch.inputs import Input, StopFailed
from dispatch.model import Order, OrderState, Reason
from dispatch.people.apart import Party, parted
from dispatch.record.journal import AGAIN, FIRST_LINE

POINTS_PER_S = 100
"""Cost points that one second of an order's door time costs at the default prices."""

REASONS = {
    Reason.NO_RIDER_IN_REACH: "no rider was in reach",
    Reason.CAPACITY: "nobody had room for it",
    Reason.NEEDS: "nobody free had what it needs",
    Reason.SHIFT_END: "no rider's shift was long enough",
    Reason.UNREACHABLE: "there was no way to it",
    Reason.ZONE: "its zone was paused",
    Reason.WINDOW: "no rider could make its time window",
    Reason.ON_BOARD_LIMIT: "it would have been on board for too long",
    Reason.STORE_CLOSED: "its store was closed",
    Reason.REFUSED_BY_ALL: "everybody in reach had refused it",
    Reason.HELD: "it was held back",
    Reason.BUDGET: "too many orders were open at once",
    Reason.KEPT: "there was still time",
    Reason.PARKED: "no round could be planned with it",
    Reason.TRAVEL_LIMIT: "nobody could drive that long or that far",
    Reason.BREAKS: "no rider's break could be kept with it",
    Reason.TOO_DEAR: "it would have cost more than leaving it out",
    Reason.CHOICE: "another way of serving it was chosen",
    Reason.GOODS: "no rider had goods that it may ride with",
    Reason.LINKED: "it goes only together with another order, which could not be served",
    Reason.PRECEDENCE: "it could come only after another order",
    Reason.FLEET: "no more riders could be sent out",
    Reason.APART: "everybody free is kept apart from its store or its customer",
}

STATES = {
    OrderState.ENROUTE_TO_PICKUP: "{rider} set off to the store",
    OrderState.ARRIVED_AT_PICKUP: "{rider} arrived at the store",
    OrderState.PICKED_UP: "{rider} picked it up",
    OrderState.ENROUTE_TO_DROPOFF: "{rider} set off to the customer",
    OrderState.ARRIVED_AT_DROPOFF: "{rider} arrived at the door",
    OrderState.DELIVERED: "{rider} delivered it",
    OrderState.RETURNING: "{rider} brings it back to the store",
    OrderState.RETURNED: "{rider} brought it back to the store",
    OrderState.CANCELLED: "It was cancelled",
    OrderState.UNDELIVERED: "It ended undelivered",
}


class Line(NamedTuple):
    """One sentence and the instant (epoch seconds) at which it became true."""

    at: int
    text: str


class Story(NamedTuple):
    """An order's life.  `facts`: the same as data."""

    order_id: str
    lines: tuple[Line, ...]
    facts: dict[str, Any]


def tell(entries: Iterable[tuple[Any, ...]], order_id: str, time_zone: str = "UTC") -> Story:
    """The story of one order from journal entries (tuples that end in input and events).

    Raises Refused (`unknown_order`) where the journal never heard of it, CorruptJournal naming an entry that says
    nothing that can be told.
    """
    teller = _Teller(order_id, time_zone)
    for seq, (*_, item, events) in enumerate(entries):
        with taking_in(seq, hint=AGAIN, line=seq + FIRST_LINE):
            teller.hear(item, events)
    if not teller.lines:
        raise Refused(
            f"the journal knows no order {order_id!r}",
            code="unknown_order",
            order_id=order_id,
            hint="orders.csv in the run folder lists them all.",
        )
    teller.say_custody()
    return Story(order_id, tuple(sorted(teller.lines, key=lambda line: line.at)), teller.facts)


class _Teller:
    def __init__(self, order_id: str, time_zone: str) -> None:
        self.order_id = order_id
        self.zone = zone_of(time_zone)
        self.lines: list[Line] = []
        self.facts: dict[str, Any] = {"order_id": order_id, "decisions": [], "states": []}
        self.due_at = 0
        self.placed_at = 0
        self.rider: str | None = None
        self.said_reason: Reason | None = None
        self.co2_mg = 0
        self.custody: Chain = ()
        self.order: Order | None = None

    def hear(self, item: Input, events: Iterable[e.Event]) -> None:
        if isinstance(item, StopFailed) and item.order_ids is not None and self.order_id in item.order_ids:
            self.say(item.happened_at, f"{item.rider_id} could not do it: {item.reason.replace('_', ' ')}")
        for event in events:
            handler = _TELLERS.get(type(event))
            if handler is not None and self._concerns(event):
                if isinstance(event, custody.KEEPS):
                    self.custody = custody.after(self.custody, event)
                handler(self, event)

    def _concerns(self, event: Any) -> bool:
        if isinstance(event, e.OrderAccepted | e.OrderRevised | e.AlternativeChosen):
            return event.order.order_id == self.order_id
        if isinstance(event, e.OfferMade):
            return self.order_id in event.offer.order_ids
        if isinstance(event, e.RiderArrived):
            return any(order_id == self.order_id for order_id, _ in event.co2_mg)
        if isinstance(event, e.ApartKnown):
            return self.order is not None and parted((event.pair,), self.order) is not None
        return bool(event.order_id == self.order_id)

    def say(self, at: int, text: str) -> None:
        self.lines.append(Line(at, text + "."))

    def say_custody(self) -> None:
        """Who held the goods, from when to when, once they have left their store."""
        self.facts["custody"] = [plain(part) | {"to_at": part.to_at} for part in self.custody]
        if len(self.custody) > 1:
            held = ", ".join(self._keeping(part) for part in self.custody)
            self.say(self.custody[-1].from_at, f"The goods were held by {held}")

    def _keeping(self, part: Custody) -> str:
        who = {Keeper.STORE: f"store {part.keeper_id}", Keeper.RIDER: part.keeper_id, Keeper.PLACE: "nobody"}
        until = "since" if part.to_at is None else f"until {self.clock(part.to_at)}"
        return f"{who.get(part.keeper, 'the customer')} {until}"

    def clock(self, at: int) -> str:
        """Hours, minutes and seconds of the scenario's time zone."""
        return datetime.datetime.fromtimestamp(at, self.zone).strftime("%H:%M:%S")

    # --- one method per event -----------------------------------------------------------------------------------

    def _on_order_accepted(self, event: e.OrderAccepted) -> None:
        order = self.order = event.order
        self.placed_at, self.due_at = order.placed_at, order.due_at
        self.facts |= {"placed_at": order.placed_at, "due_at": order.due_at, "store_id": order.store_id}
        if order.goods_class:
            self.facts["goods_class"] = order.goods_class
        if order.tier:
            self.facts["tier"] = order.tier
        self.say(
            order.placed_at,
            f"Placed at store {order.store_id}, promised by {self.clock(order.due_at)}, "
            f"expected to be ready at {self.clock(order.expected_ready_at)}"
            + (f"; its goods are {order.goods_class.replace('_', ' ')}" if order.goods_class else "")
            + (f"; for a {order.tier.replace('_', ' ')} member" if order.tier else "")
            + told_ways(order),
        )

    def _on_alternative_chosen(self, event: e.AlternativeChosen) -> None:
        order = event.order
        self.facts.setdefault("alternatives", []).append(
            {"at": event.at, "store_id": order.store_id, "end": order.end.name, "instead": plain(event.instead)}
        )
        by = f"by the plan of round {event.round}" if event.round else "as its customer asked"
        text = f"To come from {order.store_id} and go to {end_text(order.end.name)}, {by}"
        self.say(event.at, text + dearer_ways(event.instead, _seconds))

    def _on_source_told(self, event: e.SourceTold) -> None:
        why = "its rider was told to come" if event.why == "rider_told" else "later would have kept the rider waiting"
        text = f"{event.store_id} was told to prepare it, ready at {self.clock(event.expected_ready_at)}: {why}"
        self.facts["source"] = {"store_id": event.store_id, "told_at": event.at, "why": event.why}
        self.say(event.at, text + dearer_ways(event.instead, _seconds))

    def _on_source_opened(self, event: e.SourceOpened) -> None:
        self.say(event.at, f"{event.store_id} cannot hand it out ({event.why.replace('_', ' ')})")

    def _on_fee_set(self, event: e.FeeSet) -> None:
        fee = event.fee
        self.facts["fee"] = {"amount": fee.amount, **dict(fee.parts), "cost": fee.cost}
        made_of = ", ".join(f"{name} {part}" for name, part in fee.parts)
        text = f"It is charged {fee.amount}" + (f" ({made_of})" if made_of else "")
        if fee.cost is not None:
            text += f"; serving it would cost {fee.cost} in the plan of then"
            text += ", more than that" if fee.cost > fee.amount else ""
        self.say(event.at, text)

    def _on_rider_arrived(self, event: e.RiderArrived) -> None:
        self.co2_mg += sum(mg for order_id, mg in event.co2_mg if order_id == self.order_id)

    def _on_order_revised(self, event: e.OrderRevised) -> None:
        self.say(event.at, "The order was changed")

    def _on_ready_known(self, event: e.ReadyKnown) -> None:
        if event.ready_at is not None:
            self.say(event.ready_at, "The goods were ready")
        else:
            self.say(event.at, f"The store now expects it to be ready at {self.clock(event.expected_ready_at)}")

    def _on_reason_set(self, event: e.ReasonSet) -> None:
        if event.reason is self.said_reason or event.reason is Reason.SERVED:
            return
        self.said_reason = event.reason
        why = REASONS[event.reason]
        if event.reason is Reason.KEPT and event.kept_until is not None:
            self.say(event.at, f"Kept open until {self.clock(event.kept_until)}: {why}")
        else:
            self.say(event.at, f"No rider yet: {why}")

    def _on_decision_made(self, event: e.DecisionMade) -> None:
        own = event.added_cost
        others: list[dict[str, Any]] = [
            {"rider_id": rider, "more_points": cost - (own or 0)} for rider, cost in event.others
        ]
        self.facts["decisions"].append(
            {
                "at": event.at,
                "rider_id": event.rider_id,
                "round": event.round,
                "added_points": own,
                "others": others,
                "binding": event.binding.name,
                **({} if event.last_metres is None else {"last_metres": plain(event.last_metres)}),
            }
        )
        text = f"Given to {event.rider_id} in round {event.round}"
        if others:
            best = others[0]
            text += (
                f", because they were the cheapest: next best {best['rider_id']} would have cost "
                f"{_seconds(best['more_points'])} more"
            )
            rest = ", ".join(f"{other['rider_id']} {_seconds(other['more_points'])} more" for other in others[1:])
            text += f" (then {rest})" if rest else ""
        if event.binding is not Reason.SERVED:
            text += f"; for somebody cheaper still, {REASONS[event.binding]}"
        if event.last_metres is not None:
            walk = event.last_metres
            text += (
                f"; on foot it is {walk.pickup_m} m ({walk.pickup_s} s) to the store and {walk.drop_m} m "
                f"({walk.drop_s} s) to the door"
            )
        self.say(event.at, text)

    def _on_rider_changed(self, event: e.RiderChanged) -> None:
        now = "nobody" if event.rider_id is None else event.rider_id
        self.rider = event.rider_id
        self.say(event.at, f"Taken from {event.previous_rider_id} and given to {now}")

    def _on_rider_refused(self, event: e.RiderRefused) -> None:
        until = "until their phone speaks again" if event.unseen else "again"
        self.say(event.at, f"{event.rider_id} is not asked for it {until}")

    def _on_rider_forced(self, event: e.RiderForced) -> None:
        self.say(event.at, f"Operations want {event.rider_id or 'nobody in particular'} for it: {event.reason}")

    def _on_hold_set(self, event: e.HoldSet) -> None:
        self.say(event.at, f"Operations {'hold it back' if event.held else 'let it go'}: {event.reason}")

    def _on_apart_known(self, event: e.ApartKnown) -> None:
        of_it = {Party.STORE: "its store", Party.CUSTOMER: "its customer", Party.DOOR: "its door"}[event.pair.party]
        what = (
            f"{event.rider_id} is kept apart from {of_it}"
            if event.apart
            else f"{event.rider_id} may meet {of_it} again"
        )
        self.say(event.at, f"{what}: {event.pair.reason}")

    def _on_goods_moved(self, event: e.GoodsMoved) -> None:
        self.say(event.at, f"The goods wait elsewhere for another rider: {event.reason}")

    def _on_offer_made(self, event: e.OfferMade) -> None:
        offer = event.offer
        trip = f": {offer.stops} stops, {offer.work_s // 60} minutes, {offer.way_m} metres" if offer.stops else ""
        pay = "" if offer.pay is None else f", {offer.pay} minor units"
        self.say(event.at, f"Offered to {offer.rider_id} until {self.clock(offer.expires_at)}{trip}{pay}")

    def _on_eta_changed(self, event: e.EtaChanged) -> None:
        self.say(event.at, f"Delivery is now expected at {self.clock(event.expected_dropoff_at)}")

    def _on_order_moved(self, event: e.OrderMoved) -> None:
        self._moved(event.state, event.happened_at, event.rider_id, event.reason)

    def _on_outcome_corrected(self, event: e.OutcomeCorrected) -> None:
        said = "A later report corrected the outcome" if event.by is None else "Operations set the outcome right"
        self.say(event.at, said)
        self._moved(event.state, event.happened_at, event.rider_id, event.reason)

    def _moved(self, state: OrderState, at: int, rider_id: str | None, reason: str | None) -> None:
        self.facts["states"].append({"state": state.value, "at": at, "rider_id": rider_id})
        self.rider = rider_id or self.rider
        rider = self.rider or "somebody"
        if state is OrderState.CREATED:
            self.said_reason = None
            self.say(at, "It has no rider any more" + (f": {reason.replace('_', ' ')}" if reason else ""))
        elif state is OrderState.CONFIRMED:
            self.said_reason = None
            self.say(at, f"{rider} was told")
        else:
            text = STATES[state].format(rider=rider) + (f" ({reason.replace('_', ' ')})" if reason else "")
            self.say(at, text + self._verdict(state, at))

    def _verdict(self, state: OrderState, at: int) -> str:
        if state is not OrderState.DELIVERED:
            return ""
        self.facts |= {"delivered_at": at, "on_time": at <= self.due_at, "rider_id": self.rider}
        early_s = self.due_at - at
        against = f"{_minutes(early_s)} before" if early_s >= 0 else f"{_minutes(-early_s)} after"
        self.facts |= {"co2_g": round(self.co2_mg / 1_000, 1)} if self.co2_mg else {}
        grams = f"; {self.co2_mg / 1_000:.0f} g of CO2 were driven for it" if self.co2_mg else ""
        return f", {_minutes(at - self.placed_at)} after it was placed and {against} the promise{grams}"


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} min {seconds % 60:02} s"


def _seconds(points: int) -> str:
    return f"{points / POINTS_PER_S:.0f} s"


_TELLERS = event_handlers(vars(_Teller))
