"""The deterministic host: feeds one day to the engine by an event clock, and lets the city live by its answers.

Nothing of the wall clock reaches a decision: rounds are timed here, outside the engine, for the summary alone.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO, cast

from dispatch.codec import SCHEMA_VERSION
from dispatch.engine.engine import Engine
from dispatch.errors import Refused
from dispatch.events import Event, OrderMoved, RoundOpened
from dispatch.inputs import (
    Input,
    OrderCancelled,
    OrderPlaced,
    Parked,
    PositionsSeen,
    PromiseTaught,
    RoundSolved,
    TravelChanged,
    Wake,
)
from dispatch.model import Order, OrderState
from dispatch.policies.policy import Policy
from dispatch.record.journal import Header, JournalWriter
from dispatch.record.kpi import KpiFold
from dispatch.record.people.hours_audit import HoursAudit
from dispatch.record.travel_spec import RoadsSpec, TravelSpec
from dispatch.rounds.blame import UNPLANNABLE, unplannable, without
from dispatch.rounds.leg_metres import with_metres
from dispatch.settings.settings import Settings
from dispatch.version import __version__
from routing.errors import HalfhourError
from routing.places import PlaceBook
from routing.travel import TravelTimes
from sim.heap import EventHeap, Rank
from sim.replay.answer_audit import audit_answer
from sim.replay.quoting import quoted
from sim.replay.result import Progress, Run, RunTimes
from sim.scenario import Scenario
from sim.world.city import City
from sim.world.luck import AcceptanceModel, Luck

if TYPE_CHECKING:
    from routing.roads import RoadTravel

MAX_WAKES = 10_000
"""Alarms at one instant after which the engine is taken to be asking in circles."""

AFTERMATH_S = 4 * 3600
"""After the last instant of work, goods still under way are waited for this long."""


class EndlessWakes(HalfhourError):
    """The engine asks again and again to be woken at one instant."""

    code = "endless_wakes"


def _bound(spec: TravelSpec, places: PlaceBook) -> TravelTimes:
    """Travel times for the places of a day; raises TooFarFromRoad where it takes place beside other streets."""
    times = spec.bind(places)
    if isinstance(spec, RoadsSpec):
        cast("RoadTravel", times).require_cover()
    return times


class Host:
    """One replay in the making."""

    def __init__(
        self,
        scenario: Scenario,
        policy: Policy,
        settings: Settings,
        seed: int,
        *,
        audit: bool = False,
        journal: TextIO | None = None,
        acceptance: AcceptanceModel | None = None,
        promise: PromiseTaught | None = None,
        quotes: bool = False,
    ) -> None:
        self._given = scenario
        self._scenario = scenario.fresh()
        catalogue = self._scenario.catalogue
        self._policy = policy
        self._settings = settings
        self._seed = seed
        self._times = _bound(catalogue.travel, catalogue.places)
        true_spec = scenario.reality.travel
        true_times = self._times if true_spec is None else true_spec.bind(catalogue.places)
        self._travel_digests = (self._times.digest, true_times.digest)
        self._heap = EventHeap()
        self._city = City(self._scenario, true_times, Luck(seed), self._heap, acceptance)
        self._engine = Engine(catalogue.places, settings)
        self._promise = promise
        self._by_rule = settings.rules.promise_rule != "fixed"
        self._quotes = quotes or self._by_rule
        self._folded = KpiFold(scenario.catalogue)
        self._run_times = RunTimes()
        self._violations: list[str] | None = [] if audit else None
        self._hours = HoursAudit(settings.rules.hours) if audit or settings.rules.hours else None
        self._refusals = self._placed = self._delivered = 0
        self._wake_at: int | None = None
        self._wakes = 0
        self._ends_at = scenario.ends_at
        self._on_event: Callable[[Input, tuple[Event, ...]], None] | None = None
        self._journal: JournalWriter | None = None
        if journal is not None:
            self._journal = JournalWriter(
                journal,
                Header(
                    schema=SCHEMA_VERSION,
                    code_version=__version__,
                    settings=settings.flat(),
                    catalogue_digest=scenario.catalogue.digest,
                    travel_digest=self._times.digest,
                    policy=policy.name,
                    seed=seed,
                ),
            )

    def run(
        self,
        progress: Callable[[Progress], None] | None = None,
        on_event: Callable[[Input, tuple[Event, ...]], None] | None = None,
    ) -> Run:
        """Let the whole day happen."""
        wall, cpu = time.perf_counter(), time.process_time()
        self._on_event = on_event
        complete = True
        try:
            self._load()
            while not self._is_over():
                at, what = self._heap.pop()
                if not isinstance(what, Input):
                    what(at)
                elif self._hear(what) and progress is not None:
                    progress(self._progress(at))
        except KeyboardInterrupt:
            complete = False
        self._run_times.run_wall_s = time.perf_counter() - wall
        self._run_times.run_cpu_s = time.process_time() - cpu
        return Run(
            scenario=self._given,
            policy=self._policy.name,
            settings=self._settings,
            seed=self._seed,
            folded=self._folded,
            board=self._engine.board,
            complete=complete,
            times=self._run_times,
            refusals=self._refusals,
            violations=self._violations,
            hours=self._hours,
            travel_digests=self._travel_digests,
        )

    def _load(self) -> None:
        """Put everything on the heap that will happen whatever is decided; what is known beforehand comes first."""
        catalogue = self._scenario.catalogue
        begin_at = catalogue.begin_at
        times = self._times
        self._heap.say(TravelChanged(at=begin_at, version=times.version, digest=times.digest, profiles=times.profiles))
        if self._promise is not None:
            self._heap.say(dataclasses.replace(self._promise, at=begin_at))
        for item in catalogue.inputs(begin_at):
            self._heap.say(item)
        mean_ready_s = {store.store_id: store.mean_ready_s for store in catalogue.stores}
        by_mean = self._settings.rules.ready_times == "store_mean"
        for one in self._scenario.demand:
            order = _by_mean(one.order, mean_ready_s) if by_mean else one.order
            self._heap.say(OrderPlaced(at=order.placed_at, order=order))
            if one.cancelled_at is not None:
                self._heap.say(OrderCancelled(at=one.cancelled_at, order_id=order.order_id))
        for item in self._scenario.news:
            self._heap.say(item)
        self._city.begin(report_ready=by_mean)

    def _is_over(self) -> bool:
        """True once nothing is left but alarms after the last instant of work, and no goods are under way."""
        next_at = self._heap.next_at
        if next_at is None:
            return True
        if next_at <= self._ends_at or not self._heap.only_wakes:
            return False
        carried = any(record.state.is_on_board for record in self._engine.board.open_orders.values())
        return not carried or next_at > self._ends_at + AFTERMATH_S

    # --- one thing after another --------------------------------------------------------------------------------

    def _hear(self, item: Input) -> bool:
        """Take one input from the heap; True if it opened a round."""
        if isinstance(item, Wake):
            if item.at != self._wake_at:
                return False
            self._wake_at = None
            self._give_positions(item.at)
        if isinstance(item, OrderPlaced) and (self._quotes or self._engine.board.settings.rules.tariff):
            quotes, by_rule = self._quotes, self._by_rule
            item = quoted(item, self._engine.board, self._times, says_when=quotes, by_rule=by_rule)
        opened = self._handle(item)
        self._arm(item.at)
        return opened

    def _handle(self, item: Input) -> bool:
        try:
            events = self._engine.decide(item)
        except Refused:
            self._refusals += 1
            return False
        except HalfhourError:
            raise
        except Exception:
            blame = self._engine.to_blame(item) if isinstance(item, Wake | RoundSolved) else None
            if blame is None:
                raise
            # As a live host does: those whose part in it fails cost themselves, not the day.
            self._handle(blame)
            return self._handle(without(item, blame) if isinstance(item, RoundSolved) else item)
        self._engine.apply(item, events)
        if self._journal is not None:
            self._journal.append(item, events)
        self._folded.take(item, events)
        if self._hours is not None:
            self._hours.take(events)
        if self._on_event is not None:
            self._on_event(item, events)
        opened = False
        self._placed += isinstance(item, OrderPlaced)
        for event in events:
            if isinstance(event, RoundOpened):
                self._solve(item.at)
                opened = True
            elif isinstance(event, OrderMoved):
                self._delivered += event.state is OrderState.DELIVERED
        self._city.hear(events, item.at)
        return opened

    def _solve(self, at: int) -> None:
        """Freeze at once, have the round solved, and let the answer arrive after the modelled latency."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            frozen = self._engine.freeze()
            answer = self._policy.answer(frozen, self._times)
        except Exception:
            if not self._park(at):
                raise
            return
        self._run_times.round_wall_s.append(time.perf_counter() - wall)
        self._run_times.round_cpu_s.append(time.process_time() - cpu)
        if self._violations is not None:
            self._violations += audit_answer(frozen, answer, self._times)
        answer = with_metres(frozen, answer, self._times)
        self._heap.say(_at(answer, at + self._scenario.reality.solver_latency_s))

    def _park(self, at: int) -> bool:
        """After a round that failed: those without whom insertion can plan it are parked, and it is answered empty.

        False where nobody is to blame: then it is the policy's own fault.
        """
        board = self._engine.board
        found = unplannable(board.dump(), board.places, self._times)
        if not found.order_ids and not found.rider_ids:
            return False
        self._handle(Parked(at=at, order_ids=found.order_ids, rider_ids=found.rider_ids, reason=UNPLANNABLE))
        answered_at = at + self._scenario.reality.solver_latency_s
        self._heap.say(RoundSolved(at=answered_at, round=board.round, cause="FALLBACK"))
        return True

    def _give_positions(self, at: int) -> None:
        """The newest position of each rider, just before a round may open."""
        if self._city.positions:
            positions = tuple(self._city.positions.values())
            self._city.positions.clear()
            self._handle(PositionsSeen(at=at, positions=positions))

    def _arm(self, at: int) -> None:
        """Set the alarm the engine asks for."""
        wake_at = self._engine.wake_at()
        if wake_at is None:
            self._wake_at = None
            return
        wake_at = max(wake_at, at)
        if wake_at == self._wake_at:
            return
        self._wakes = self._wakes + 1 if wake_at == at else 0
        if self._wakes > MAX_WAKES:
            raise EndlessWakes(f"more than {MAX_WAKES} alarms at one instant", at=at)
        self._wake_at = wake_at
        self._heap.put(wake_at, Rank.WAKE, Wake(at=wake_at))

    def _progress(self, at: int) -> Progress:
        return Progress(
            at,
            self._scenario.catalogue.begin_at,
            self._ends_at,
            self._placed,
            len(self._scenario.demand),
            self._delivered,
        )


def _by_mean(order: Order, mean_ready_s: dict[str, int | None]) -> Order:
    """The order as its store's mean lets one expect it."""
    mean_s = mean_ready_s.get(order.store_id)
    return order if mean_s is None else dataclasses.replace(order, expected_ready_at=order.placed_at + mean_s)


def _at(answer: RoundSolved, at: int) -> RoundSolved:
    return answer if answer.at == at else dataclasses.replace(answer, at=at)
