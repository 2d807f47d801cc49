"""Facts of the board.  `Board.apply` is a pure fold over them and never raises.

An event carries everything that `apply` needs, so that a journal folds without deciding again, in any later version.
"""

from __future__ import annotations

from dataclasses import dataclass

from dispatch.inputs import Alternative, Choice, Position, Stage
from dispatch.model import Fee, LastMetres, Offer, Order, OrderState, Reason, Rider, Route, Shift, Store, Zone
from dispatch.people.apart import KeptApart
from dispatch.promise.told import Lesson, Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact of the board, true from `at` on."""

    at: int


Events = tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreKnown(Event):
    store: Store


@dataclass(frozen=True, slots=True, kw_only=True)
class RiderKnown(Event):
    rider: Rider


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneKnown(Event):
    zone: Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftOpened(Event):
    """A shift was entered; the rider is usable from its `start_at`."""

    shift: Shift


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftClosed(Event):
    """A rider logged off (or was lost): they get no work until the next shift.

    `reason` and `by` (whose key it was) are set where somebody else has logged them off.
    """

    rider_id: str
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakSet(Event):
    rider_id: str
    on_break: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RestGiven(Event):
    """A rider rests by law from now on until `until`: nothing is planned for them before.

    `why`: stretch (they have worked for as long as they may) or window (a break of their duty is due).
    """

    rider_id: str
    until: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAccepted(Event):
    """The order is ours from now on: it will end exactly once."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeSet(Event):
    """What an order is charged, from its placement on."""

    order_id: str
    fee: Fee


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRevised(Event):
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternativeChosen(Event):
    """An order comes from another store or goes to another end than before, as long as nobody must act on it.

    `order`: as it is from now on.  `round`: that has chosen it; 0: its customer.  `instead`: see inputs.Alternative.
    """

    order: Order
    round: int = 0
    instead: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTold(Event):
    """A store must prepare an order from now on: its source is settled.  `why`: latest_start, rider_told."""

    order_id: str
    store_id: str
    expected_ready_at: int
    why: str
    instead: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOpened(Event):
    """The source of an order may be chosen anew: its store cannot hand it out.  `barred`: it is not asked again."""

    order_id: str
    store_id: str
    why: str
    barred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StockKnown(Event):
    """What a store has of articles from now on, what is reserved included."""

    store_id: str
    counts: tuple[tuple[str, int], ...]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMoved(Event):
    """An order's state changed at `happened_at`; `rider_id` is whose it is now (None: nobody's)."""

    order_id: str
    state: OrderState
    happened_at: int
    rider_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCorrected(Event):
    """A state gave way to a late fact, or to operations' word; KPIs use the last.

    `reason` and `by` (whose key it was) are set where operations have said so.
    """

    order_id: str
    state: OrderState
    happened_at: int
    rider_id: str | None = None
    reason: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersLeft(Event):
    """Orders that ended `rules.ended_keep_s` ago leave the board; nothing that is said of them later is theirs."""

    order_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiderChanged(Event):
    """A told order is now another rider's (on the wire: no step back, but news)."""

    order_id: str
    rider_id: str | None
    previous_rider_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyKnown(Event):
    """A better idea of when goods are ready; `ready_at` only where it is a fact."""

    order_id: str
    expected_ready_at: int
    ready_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStateSet(Event):
    """`closed_until`: None = works, 2**62 = closed until further notice."""

    store_id: str
    closed_until: int | None
    delay_s: int
    delay_until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelAdopted(Event):
    version: int
    digest: str
    profiles: tuple[str, ...] = ("default",)
    weather: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundsLimitSet(Event):
    """Rounds add at most so many orders to the plan, the most urgent first (None: as many as the rules say)."""

    most_new_orders: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingSet(Event):
    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldSet(Event):
    order_id: str
    held: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderParked(Event):
    """An order takes no part in rounds until something about it changes: they failed because of it."""

    order_id: str
    stage: Stage
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiderParked(Event):
    """The same of a rider: what they were told stays theirs, nothing new comes."""

    rider_id: str
    stage: Stage
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiderForced(Event):
    order_id: str
    rider_id: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiderRefused(Event):
    """This rider is not asked again for this order; where only their phone was silent, until it speaks again."""

    order_id: str
    rider_id: str
    unseen: bool = False
    """True where a told route was withdrawn because no phone had shown it."""
    reason: str = ""
    """Why they are not asked: declined, expired, unassigned, or what they reported at the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneStateSet(Event):
    zone_id: str
    paused: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsMoved(Event):
    """Goods of a lost rider now wait at a place where another may fetch them."""

    order_id: str
    place: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetSet(Event):
    preset: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsKnown(Event):
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApartKnown(Event):
    """A rider and a store, a customer or a door must not meet from now on, or (`apart` false) may again.

    `pair`: as operations have just said it, with their reason and whose key it was.
    """

    rider_id: str
    pair: KeptApart
    apart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionReversed(Event):
    """Operations take a decision about a rider back; `number`: of the rider's receipt.

    `order_ids`: orders for which they are asked again.
    """

    rider_id: str
    number: int
    reason: str
    by: str
    order_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsTaken(Event):
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRevised(Event):
    """A rider's route is now this one; `told` says whether their phone must hear of it."""

    route: Route
    told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteAcknowledged(Event):
    """The rider's phone has shown this revision; told stops are under way from `happened_at`."""

    rider_id: str
    revision: int
    happened_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RiderArrived(Event):
    """A rider is at the first stop of their route since `happened_at`."""

    rider_id: str
    stop_id: str
    happened_at: int
    co2_mg: tuple[tuple[str, int], ...] = ()
    """Milligrams of CO2 of the way there by order; those of an empty move under an empty id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiderDone(Event):
    """A rider has finished the first stop of their route: they are free at `place` from `free_at`."""

    rider_id: str
    stop_id: str
    place: int
    free_at: int
    acted_at: int = 0
    """When what was to be done there was done (0: not said)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContradicted(Event):
    """A report that does not fit what we knew; kept, never refused."""

    rider_id: str
    stop_id: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantClamped(Event):
    """A report named an instant (`said_at`) at which it cannot have been: the nearest possible one is taken."""

    rider_id: str
    stop_id: str
    said_at: int
    happened_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAtRisk(Event):
    """Nobody can say when the order comes; `why`: rider_silent or store_closed."""

    order_id: str
    why: str
    rider_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderGivingUp(Event):
    """Nobody can take the order: it ends at `ends_at` unless somebody does before."""

    order_id: str
    ends_at: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiderLost(Event):
    """Nothing heard for `rules.lost_after_s`: their open orders are planned anew, goods on board are flagged."""

    rider_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiderFound(Event):
    rider_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HearingResumed(Event):
    """Nobody could be heard since `since_at`: silence counts from now on, and no offer ends before `answers_until`."""

    since_at: int
    answers_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMade(Event):
    offer: Offer
    more_points: int | None = None
    """What the next best rider would have cost more in the plan of then; None where that was not computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferClosed(Event):
    """`outcome`: accepted, declined, expired or withdrawn; `reason`: why it was withdrawn."""

    offer_id: str
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundOpened(Event):
    """The host freezes before the next input, has the round solved, and answers RoundSolved."""

    round: int
    deadline_at: int
    travel_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundClosed(Event):
    """`refused`: riders whose change was refused whole because their route had moved or an order was gone."""

    round: int
    cause: str
    refused: tuple[str, ...]
    cost: int
    work: int
    choices: tuple[Choice, ...] = ()
    """Receipts kept for orders about to be told."""
    planned_wait_s: int = 0
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDropped(Event):
    """An answer to a round that is not open; counted, nothing else."""

    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonSet(Event):
    """Why an order has no rider now; KEPT comes with `kept_until`."""

    order_id: str
    reason: Reason
    kept_until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMade(Event):
    """The receipt of telling an order: chosen rider, next best ones, the gap, the law that bound."""

    decision_id: str
    order_id: str
    rider_id: str
    round: int
    added_cost: int | None
    """What this rider adds to the cost of the plan, in points; None where it was not computed."""
    others: tuple[tuple[str, int], ...]
    binding: Reason
    last_metres: LastMetres | None = None
    """What is walked for it, as planned then; None where nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EtaChanged(Event):
    """The expected delivery moved by more than `rules.eta_changed_s` since it was last said."""

    order_id: str
    expected_dropoff_at: int


# --- promises -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseSaid(Event):
    """When an order comes with what probability: as placed after a quote, and with the first plan that holds it."""

    order_id: str
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseLearned(Event):
    """An order has ended: what that teaches those that come, one lesson for each thing that was said of it."""

    order_id: str
    lessons: tuple[Lesson, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseAdopted(Event):
    """What promises are counted from, learnt elsewhere: it replaces what was learnt here."""

    groups: tuple[tuple[str, int, tuple[int, ...]], ...]
    """(group, orders that have taught it, its offsets in nanoseconds)."""
    taught: tuple[tuple[str, int], ...]
    """(basis, orders that have taught it)."""
    spread_ms: tuple[tuple[str, int], ...]
    """(basis, how far orders come from their median)."""
