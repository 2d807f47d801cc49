"""Everything that can be said to the engine.

Each input carries `at`, the instant at which the engine learns it (the order of handling), and, where it reports a
fact, `happened_at`, the instant at which it was so (what KPIs, promises and progress use).  *Exogenous* inputs come
from the world; *endogenous* ones are consequences of our own decisions, and a what-if replay makes them anew.
*Requests* may be refused (Refused, nothing applied); *reports* are facts and are never refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar, NamedTuple

from dispatch.model import Fee, Order, Reason, Rider, Shift, Store, Zone
from dispatch.people.apart import Party
from routing.problem.problem import ActKind


class Class(IntEnum):
    """Order of handling at one instant; inside a class the order of the source decides."""

    EXOGENOUS = 0
    REPORT = 1
    ANSWER = 2
    WAKE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Something the engine learns at `at`."""

    rank: ClassVar[Class] = Class.EXOGENOUS
    at: int


# --- exogenous: catalogue -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreListed(Input):
    """A store is new or has changed."""

    store: Store


@dataclass(frozen=True, slots=True, kw_only=True)
class RiderListed(Input):
    """A rider is new or has changed."""

    rider: Rider


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneListed(Input):
    """A zone is new or has changed."""

    zone: Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftPlanned(Input):
    """A rider will work (or works from now on)."""

    shift: Shift


# --- exogenous: requests of the order system ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced(Input):
    """An order is handed over.  Refused: duplicate_order, unknown_store, unknown_place, invalid_order.

    `expected_drop_at`: what a trial insertion made of it (None: nobody has asked, or nobody could take it).
    `promise_is_ours`: its promise follows `rules.promise_rule`; else it stands as the order has it.
    `fee`: what it is charged by `rules.tariff`, as quoted or as it is placed (None: there is no tariff).
    """

    order: Order
    expected_drop_at: int | None = None
    promise_is_ours: bool = False
    fee: Fee | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged(Input):
    """An order's fields are replaced (same id).  Refused: unknown_order, invalid_transition."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(Input):
    """The customer or the store calls it off.  Refused: unknown_order, invalid_transition (already final)."""

    order_id: str
    reason: str = "customer"


# --- exogenous: store, travel, settings -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyEstimated(Input):
    """The kitchen's new estimate."""

    order_id: str
    expected_ready_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReady(Input):
    """The goods stand on the counter since `happened_at`."""

    order_id: str
    happened_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreClosed(Input):
    """A store hands out nothing until `until` (None: until it opens again)."""

    store_id: str
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOpened(Input):
    """A closed store works again."""

    store_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRanOut(Input):
    """A store cannot fulfil an order after all.  Refused: unknown_store, unknown_order, invalid_transition."""

    store_id: str
    order_id: str
    reason: str = "ran_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAsked(Input):
    """The customer wants an order brought to another of its ends (`End.name`).

    `late`: orders that would then miss promises that the plan keeps otherwise, as a trial has found
    (dispatch/rounds/trial.py).  Refused: unknown_order, invalid_order, invalid_transition, costs_a_promise.
    """

    order_id: str
    end: str
    late: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StockCounted(Input):
    """What a store has of articles, or what is added.  Refused: unknown_store, invalid_order, stale_stock.

    `version`: a number that rises with every count of the store; one that is not higher than the last is refused.
    """

    store_id: str
    counts: tuple[tuple[str, int], ...]
    add: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreThrottled(Input):
    """Everything not yet ready at a store takes `delay_s` longer than estimated (0: as estimated), up to `until`."""

    store_id: str
    delay_s: int
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelChanged(Input):
    """Travel times have a new version; rounds from now on use it.  `profiles`: names in the order of the table."""

    version: int
    digest: str
    profiles: tuple[str, ...] = ("default",)
    weather: str = ""
    """The name of the weather that they are of; empty: not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceResumed(Input):
    """The service hears again: it was paused or away since `since_at`, and what was sent meanwhile is still unread."""

    since_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChanged(Input):
    """A live setting gets a new value.  Refused: invalid_setting."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundsLimited(Input):
    """A host under pressure lets a round add at most so many orders to the plan (None: as many as the rules say)."""

    most_new_orders: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseTaught(Input):
    """Promises count from what was learnt elsewhere (`halfhour promise fit`); fields as of PromiseAdopted."""

    groups: tuple[tuple[str, int, tuple[int, ...]], ...]
    taught: tuple[tuple[str, int], ...]
    spread_ms: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetChosen(Input):
    """Settings that belong together change at once.  `values`: what `preset` stands for here, setting and text of each.

    An old city may go on under a preset that has been changed since: what was written stays.  Refused: invalid_setting.
    """

    preset: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsListed(Input):
    """Names of what orders may need and riders provide, in the order of their bits.

    A list grows at its end, so that a bit means for ever what it meant.  Refused: needs_changed.
    """

    names: tuple[str, ...]


# --- exogenous: riders and operations --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftEnded(Input):
    """A rider logs off, with or without work in hand; `reason` and `by` where somebody else logs them off."""

    rider_id: str
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakBegan(Input):
    """A rider pauses: no new work until BreakEnded."""

    rider_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEnded(Input):
    """A rider is back from their break."""

    rider_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderForced(Input):
    """Operations give an order to a rider (rider_id None: take the wish back).  Refused where law forbids it."""

    order_id: str
    rider_id: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUnassigned(Input):
    """Operations take an order off its rider's route; they are not asked again.  Refused once picked up."""

    order_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHeld(Input):
    """Operations keep an order back (`held` true) or let it go (false)."""

    order_id: str
    held: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePaused(Input):
    """Operations stop (`paused` true) or resume planning for orders whose drop lies in a zone."""

    zone_id: str
    paused: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverOrdered(Input):
    """Operations settle goods on board of a lost rider: another may fetch them at `place`, or (None) undelivered."""

    order_id: str
    place: int | None
    reason: str


class Outcome(StrEnum):
    """What operations know of an order that stands wrong on the board."""

    DELIVERED = "delivered"
    RETURNED = "returned"
    UNDO = "undo"
    """It has not ended: back to what it was before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeSet(Input):
    """Operations set a wrong state right; `by`: whose key it was.  Refused where that changes nothing."""

    order_id: str
    outcome: Outcome
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApartSet(Input):
    """Operations keep a rider apart from a store, a customer or a door (`apart` true), or no longer (false).

    `name`: the store's id, or the opaque name that orders have; `by`: whose key it was.  Refused: unknown_rider,
    unknown_store, invalid_transition (not kept apart).
    """

    rider_id: str
    party: Party
    name: str
    apart: bool
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalOrdered(Input):
    """Operations take a decision about a rider back: `number` of their receipt; `by`: whose key it was.

    Refused: unknown_rider, unknown_receipt, invalid_transition (it cannot be taken back, or holds no longer).
    """

    rider_id: str
    number: int
    reason: str
    by: str = ""


# --- endogenous: reports --------------------------------------------------------------------------------------------


class Position(NamedTuple):
    """Where a rider was seen: (lat, lng) degrees or (y, x) metres, and when."""

    rider_id: str
    first: float
    second: float
    seen_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsSeen(Input):
    """The newest position of each rider since the last round, coalesced by the host."""

    rank: ClassVar[Class] = Class.REPORT
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSeen(Input):
    """A rider's phone has shown the route of this revision."""

    rank: ClassVar[Class] = Class.REPORT
    rider_id: str
    revision: int
    happened_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopArrived(Input):
    """A rider is at a stop since `happened_at`."""

    rank: ClassVar[Class] = Class.REPORT
    rider_id: str
    stop_id: str
    happened_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopCompleted(Input):
    """All acts of a stop were done at `happened_at` (the act instant).

    `order_ids`: those really handed over or delivered; None for all that the phone showed, with the route of `revision`
    (None: the newest that it is known to have shown by then).
    """

    rank: ClassVar[Class] = Class.REPORT
    rider_id: str
    stop_id: str
    happened_at: int
    order_ids: tuple[str, ...] | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopFailed(Input):
    """An act could not be done: customer absent, goods missing, store shut.

    `order_ids`: those concerned; None for all that the phone showed at the stop, with the route of `revision`.
    """

    rank: ClassVar[Class] = Class.REPORT
    rider_id: str
    stop_id: str
    happened_at: int
    reason: str
    order_ids: tuple[str, ...] | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferAccepted(Input):
    """A crowd rider takes an offer.  Refused: offer_closed (expired, withdrawn, answered)."""

    rank: ClassVar[Class] = Class.REPORT
    offer_id: str
    rider_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferDeclined(Input):
    """A crowd rider turns an offer down.  Refused: offer_closed."""

    rank: ClassVar[Class] = Class.REPORT
    offer_id: str
    rider_id: str


class Stage(StrEnum):
    """What an order or a rider takes no part in, for it failed because of them."""

    PLANNING = "planning"
    TELLING = "telling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked(Input):
    """Something of ours failed because of these orders and riders: without them it goes on.

    They take part again as soon as something about them changes.  `reason`: what failed, for people.
    """

    rank: ClassVar[Class] = Class.REPORT
    order_ids: tuple[str, ...] = ()
    rider_ids: tuple[str, ...] = ()
    stage: Stage = Stage.PLANNING
    reason: str = ""


# --- endogenous: answers and wake-ups -------------------------------------------------------------------------------


class PlannedStop(NamedTuple):
    """A stop of a plan, in ids; times are epoch seconds."""

    place: int
    store_id: str | None
    acts: tuple[tuple[str, ActKind], ...]
    leg_s: int
    leg_m: int
    expected_arrive_at: int
    expected_act_at: int
    expected_leave_at: int
    walk_s: int = 0
    walk_m: int = 0


class RouteChange(NamedTuple):
    """A new plan for one rider, made from `revision` of their route."""

    rider_id: str
    revision: int
    stops: tuple[PlannedStop, ...]


class OrderReason(NamedTuple):
    """Why an order has no rider now."""

    order_id: str
    reason: Reason


class Choice(NamedTuple):
    """A receipt in ids: what giving the order to each rider would have added to the cost of the plan."""

    order_id: str
    rider_id: str
    added_cost: int
    others: tuple[tuple[str, int], ...]
    binding: Reason


class Alternative(NamedTuple):
    """From which store and to which end (`End.name`) a plan serves an order that may be served in several ways."""

    order_id: str
    store_id: str
    end: str
    instead: tuple[tuple[str, str, int], ...] = ()
    """Up to three others, cheapest first: store, end, and how many points more the plan would cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSolved(Input):
    """The answer to RoundOpened.  An empty one (cause FALLBACK, ABANDONED) closes the round all the same."""

    rank: ClassVar[Class] = Class.ANSWER
    round: int
    cause: str = "SOLVED"
    changes: tuple[RouteChange, ...] = ()
    reasons: tuple[OrderReason, ...] = ()
    choices: tuple[Choice, ...] = ()
    cost: int = 0
    work: int = 0
    planned_wait_s: int = 0
    """How long goods wait ready for their pickups in this plan, on average."""
    alternatives: tuple[Alternative, ...] = ()
    """Of orders with alternatives those whose choice changes, and those that have a receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake(Input):
    """The instant that `wake_at` asked for has come."""

    rank: ClassVar[Class] = Class.WAKE
