"""The engine: inputs in, events out.  It has no clock, no I/O, no randomness, and never solves.

A table from input to decision; `decisions` holds one module for each subject.  A host feeds inputs in order,
freezes right after RoundOpened, has the round solved and answers it, and calls again at `wake_at`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dispatch import bounds
from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.commitment import next_due
from dispatch.engine.decisions import giving_up, offers, operations, orders, people, promises, riders, rounds, stores
from dispatch.engine.timers import Timers
from dispatch.errors import ClockWentBack
from dispatch.rounds.blame import undecidable
from dispatch.rounds.freeze import freeze
from dispatch.rounds.frozen_round import Frozen
from dispatch.settings.settings import Settings
from routing.places import PlaceBook

_DECISIONS: dict[type[i.Input], Callable[[Board, Any], tuple[e.Event, ...]]] = {
    i.StoreListed: stores.store_listed,
    i.RiderListed: riders.rider_listed,
    i.ZoneListed: operations.zone_listed,
    i.ShiftPlanned: riders.shift_planned,
    i.OrderPlaced: orders.order_placed,
    i.OrderChanged: orders.order_changed,
    i.OrderCancelled: orders.order_cancelled,
    i.EndAsked: orders.end_asked,
    i.ReadyEstimated: stores.ready_estimated,
    i.OrderReady: stores.order_ready,
    i.StoreClosed: stores.store_closed,
    i.StoreOpened: stores.store_opened,
    i.StoreRanOut: stores.store_ran_out,
    i.StoreThrottled: stores.store_throttled,
    i.StockCounted: stores.stock_counted,
    i.TravelChanged: operations.travel_changed,
    i.ServiceResumed: rounds.service_resumed,
    i.SettingChanged: operations.setting_changed,
    i.RoundsLimited: operations.rounds_limited,
    i.PresetChosen: operations.preset_chosen,
    i.PromiseTaught: promises.taught,
    i.NeedsListed: operations.needs_listed,
    i.ShiftEnded: riders.shift_ended,
    i.BreakBegan: riders.break_began,
    i.BreakEnded: riders.break_ended,
    i.OrderForced: operations.order_forced,
    i.OrderUnassigned: operations.order_unassigned,
    i.OrderHeld: operations.order_held,
    i.Parked: operations.parked,
    i.ZonePaused: operations.zone_paused,
    i.HandoverOrdered: operations.handover_ordered,
    i.OutcomeSet: operations.outcome_set,
    i.ApartSet: people.apart_set,
    i.ReversalOrdered: people.reversal_ordered,
    i.PositionsSeen: riders.positions_seen,
    i.RouteSeen: riders.route_seen,
    i.StopArrived: riders.stop_arrived,
    i.StopCompleted: riders.stop_completed,
    i.StopFailed: riders.stop_failed,
    i.OfferAccepted: offers.offer_accepted,
    i.OfferDeclined: offers.offer_declined,
}


class Engine:
    """Decides; the Board remembers.

    `places` belongs to the host, which adds a place before the first input that names it.
    """

    def __init__(self, places: PlaceBook, settings: Settings, board: Board | None = None) -> None:
        self.board = board if board is not None else Board(places, settings)
        self._riders, self._orders = Timers(), Timers()
        self._set_all_timers()

    def decide(self, item: i.Input) -> tuple[e.Event, ...]:
        """The events that `item` brings about; reads the board, changes nothing.

        Raises Refused before any event, ClockWentBack where `item.at` lies before an input already handled.
        """
        if item.at < self.board.now:
            raise ClockWentBack(f"input at {item.at} after {self.board.now}", at=item.at, now=self.board.now)
        if isinstance(item, i.Wake | i.RoundSolved):
            events = self._decide(item, self._riders.due(item.at))
        else:
            bounds.require(item)
            events = _DECISIONS[type(item)](self.board, item)
        return (*events, *promises.following(self.board, item.at, events))

    def _decide(self, item: i.Wake | i.RoundSolved, due_riders: tuple[str, ...]) -> tuple[e.Event, ...]:
        if isinstance(item, i.Wake):
            return rounds.wake(self.board, item, due_riders, self._orders.due(item.at))
        return rounds.round_solved(self.board, item, due_riders)

    def to_blame(self, item: i.Wake | i.RoundSolved) -> i.Parked | None:
        """What lets `item` be decided that `decide` fails on; None where no rider's part in it is at fault.

        Riders with a change in an answer are parked from planning, those whose timer has run out from being told.
        """
        due = self._riders.due(item.at)
        changes = item.changes if isinstance(item, i.RoundSolved) else ()

        def decide(present: frozenset[str]) -> object:
            heard = tuple(rider_id for rider_id in due if rider_id in present)
            if isinstance(item, i.Wake):
                return self._decide(item, heard)
            kept = tuple(change for change in changes if change.rider_id in present)
            return self._decide(replace(item, changes=kept), heard)

        changed = [change.rider_id for change in changes]
        found = undecidable(list(dict.fromkeys((*changed, *due))), decide)
        if not found:
            return None
        # Who has something to be told must not be asked again by a timer, whether it is the change or the telling.
        telling = any(rider_id not in changed or rider_id in due for rider_id in found)
        stage = i.Stage.TELLING if telling else i.Stage.PLANNING
        return i.Parked(at=item.at, rider_ids=found, stage=stage, reason="what follows for their route cannot be told")

    def handle(self, item: i.Input) -> tuple[e.Event, ...]:
        """Decide, then apply each event."""
        events = self.decide(item)
        self.apply(item, events)
        return events

    def apply(self, item: i.Input, events: tuple[e.Event, ...]) -> None:
        """Apply what `decide` has just answered to `item`: for a host that looks at the board in between."""
        orders = _orders_of(events, self.board) if self.board.settings.rules.give_up_s else ()
        for event in events:
            self.board.apply(event)
        self.board.now = max(self.board.now, item.at)
        if isinstance(item, i.SettingChanged | i.PresetChosen | i.ServiceResumed | i.TravelChanged):
            self._set_all_timers()
        elif isinstance(item, i.Wake | i.RoundSolved) and not any(isinstance(x, e.RoundOpened) for x in events):
            # A timer that brought nothing about must not ring again at the same instant (unless a round has just
            # opened on a beat: what is due then waits for its answer).
            for rider_id in self._riders.due(item.at):
                self._set_timer(rider_id, not_before=item.at + 1)
        for rider_id in _riders_of(events):
            if rider_id in self.board.riders:
                self._set_timer(rider_id, not_before=item.at)
        for order_id in orders:
            self._set_order_timer(order_id)

    def freeze(self) -> Frozen:
        """The open part of the board as arrays; a pure function of the board at the moment a round opens."""
        return freeze(self.board)

    def wake_at(self) -> int | None:
        """When the host must say Wake, if nothing else happens before; None for never."""
        due = [self.board.offer_ends_at(offer) for offer in self.board.offers.values()]
        others = (self._riders.next_at(), self._orders.next_at(), rounds.next_round_at(self.board, self.board.now))
        due += [at for at in others if at is not None]
        return max(min(due), self.board.now) if due else None

    # --- timers of riders and orders, derived from the board ------------------------------------------------------

    def _set_all_timers(self) -> None:
        for rider_id in self.board.riders:
            self._set_timer(rider_id)
        for order_id in self.board.open_orders:
            self._set_order_timer(order_id)

    def _set_order_timer(self, order_id: str) -> None:
        record = self.board.open_orders.get(order_id)
        at = giving_up.rings_at(record, self.board) if record is not None else None
        self._orders.put(order_id, record.seq if record is not None else 0, at)

    def _set_timer(self, rider_id: str, not_before: int = 0) -> None:
        record = self.board.riders[rider_id]
        if record.parked is i.Stage.TELLING:
            self._riders.put(rider_id, record.seq, None)
            return
        due = []
        commit_at = next_due(record, self.board) if record.route.stops and not record.lost else None
        if commit_at is not None:
            due.append(commit_at - self.board.settings.rules.commit_lead_s)
        rings_at = rounds.rings_at(record, self.board)
        if rings_at is not None:
            due.append(rings_at)
        self._riders.put(rider_id, record.seq, max(min(due), not_before) if due else None)


def _orders_of(events: tuple[e.Event, ...], board: Board) -> list[str]:
    """Orders that `events`, not yet applied, give to somebody, take from somebody, or change, each once, in order."""
    found: dict[str, None] = {}
    for event in events:
        if isinstance(event, e.RouteRevised):
            routes = (board.riders[event.route.rider_id].route, event.route)
            found.update((act.order_id, None) for route in routes for stop in route.stops for act in stop.acts)
        elif isinstance(event, e.OrderAccepted | e.OrderRevised):
            found[event.order.order_id] = None
        else:
            order_id = getattr(event, "order_id", None)
            if order_id is not None:
                found[order_id] = None
    return list(found)


def _riders_of(events: tuple[e.Event, ...]) -> list[str]:
    """Riders whose timers may have changed, each once, in order."""
    found: dict[str, None] = {}
    for event in events:
        if isinstance(event, e.RouteRevised):
            found[event.route.rider_id] = None
        elif isinstance(event, e.PositionsTaken):
            found.update((position.rider_id, None) for position in event.positions)
        elif isinstance(event, e.ShiftOpened):
            found[event.shift.rider_id] = None
        elif isinstance(event, e.RiderKnown):
            found[event.rider.rider_id] = None
        elif isinstance(event, _RIDER_EVENTS):
            found[event.rider_id or ""] = None
    return list(found)


_RIDER_EVENTS = (
    e.RouteAcknowledged,
    e.RiderArrived,
    e.RiderDone,
    e.RiderLost,
    e.RiderFound,
    e.ShiftClosed,
    e.BreakSet,
    e.RestGiven,
    e.DecisionReversed,
    e.ReportContradicted,
    e.RiderParked,
    e.OrderAtRisk,
)
