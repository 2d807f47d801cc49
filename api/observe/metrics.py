"""What operations watch: Prometheus metrics, without personal data.

Labels and log fields come from short fixed lists (route templates, causes, states).  Ids, paths, bodies and the texts
of foreign exceptions never get in: that is how an address in a body stays out of every log.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from dispatch import events as e
from dispatch.model import OrderState
from dispatch.promise.told import PLAN, QUOTE

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from dispatch.board.board import Board
    from dispatch.board.records import OrderRecord
    from routing.roads import LiveSpeeds

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_QUICK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_ROUND_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 15.0, 30.0)
_LATELY = 500
"""Deliveries that the on-time share looks back on."""


_SLICED = ("load:", "hour:", "lead:")
"""Groups of promises that are few: zones and weathers are left to reports."""


class Metrics:
    """All metrics of one service, in a registry of its own."""

    def __init__(self, market: str = "") -> None:
        """`market`: a label of everything, where the service is one of several."""
        self._market = market
        self.registry = registry = CollectorRegistry()
        self.round_s = Histogram(
            "halfhour_round_seconds", "From the opening of a round to its answer.", ["cause"],
            buckets=_ROUND_S, registry=registry,
        )  # fmt: skip
        self.fallbacks = Counter(
            "halfhour_fallbacks", "Rounds that the host had to answer itself.", ["why"], registry=registry
        )
        self.fallbacks_in_a_row = Gauge(
            "halfhour_fallbacks_in_a_row", "Rounds the host has answered since the solver last did.", registry=registry
        )
        self.parked = Counter(
            "halfhour_parked", "Orders and riders that something failed because of.", ["what"], registry=registry
        )
        self.parked_now = Gauge(
            "halfhour_parked_now", "Of them, those that take no part at present.", ["what"], registry=registry
        )
        self.backlog = Gauge("halfhour_round_orders", "Orders that the last round had to plan.", registry=registry)
        self.threads = Gauge("halfhour_solver_threads", "Threads that searched the last round.", registry=registry)
        self.thread_gain = Gauge(
            "halfhour_solver_thread_gain", "How many times as quick an order is planned as with the fewest threads.",
            ["threads"], registry=registry,
        )  # fmt: skip
        self.ladder_step = Gauge(
            "halfhour_ladder_step", "0 search, 1 insertion, 2 urgent orders only.", registry=registry
        )
        self.ladder_moves = Counter("halfhour_ladder_moves", "Steps down and up.", ["direction"], registry=registry)
        self.clock_off_s = Gauge(
            "halfhour_clock_off_seconds", "What the machine's clock is ahead of the service's.", registry=registry
        )
        self.clock_steps = Gauge(
            "halfhour_clock_steps", "How often the machine's clock was set since the start.", registry=registry
        )
        self.pauses = Counter("halfhour_pauses", "Times in which nobody could be heard.", registry=registry)
        self.queue_depth = Gauge("halfhour_queue_depth", "Commands waiting for the engine.", registry=registry)
        self.command_s = Histogram(
            "halfhour_command_seconds", "Engine time of one input.", ["input"], buckets=_QUICK_S, registry=registry
        )
        self.commit_s = Histogram(
            "halfhour_commit_seconds", "From append to durable.", buckets=_QUICK_S, registry=registry
        )
        self.commit_age_s = Gauge(
            "halfhour_commit_age_seconds", "The oldest write under way, or the slowest of the last ten seconds.",
            registry=registry,
        )  # fmt: skip
        self._of_the_city(registry)
        self.live_streets = Gauge(
            "halfhour_live_streets", "Directions of streets whose speed riders' positions change.", ["profile"],
            registry=registry,
        )  # fmt: skip
        self.live_factor = Gauge(
            "halfhour_live_speed_factor", "Mean factor of the speed of those streets.", ["profile"], registry=registry
        )
        self.live_positions = Counter("halfhour_live_positions", "Positions heard for that.", registry=registry)
        self._of_the_travel_service(registry)
        self._of_the_process(registry)
        self._lately: deque[bool] = deque(maxlen=_LATELY)

    def _of_the_city(self, registry: CollectorRegistry) -> None:
        self.orders = Gauge("halfhour_orders", "Orders not ended, by state.", ["state"], registry=registry)
        self.riders = Gauge("halfhour_riders", "Riders, by what they do.", ["doing"], registry=registry)
        self.ended = Counter("halfhour_orders_ended", "Orders that ended, by how.", ["state"], registry=registry)
        self.promise_ends = Counter(
            "halfhour_promise_ends", "Orders ended of which something was said, by basis and whether P90 was kept.",
            ["basis", "p90"], registry=registry,
        )  # fmt: skip
        self.promise_said = Counter(
            "halfhour_promise_probability", "Sum of the probabilities said that their promises are kept.", ["basis"],
            registry=registry,
        )  # fmt: skip
        self.promise_slices = Counter(
            "halfhour_promise_slices", "Orders ended of which something was said, by slice and whether P90 was kept.",
            ["basis", "slice", "p90"], registry=registry,
        )  # fmt: skip
        self.promise_tenths = Counter(
            "halfhour_promise_tenths", "Orders ended, by tenth of the probability said that their promise is kept.",
            ["basis", "tenth", "promise"], registry=registry,
        )  # fmt: skip
        self.promise_calibrated = Gauge(
            "halfhour_promise_calibrated", "1 where what is said counts as calibrated.", ["basis"], registry=registry
        )
        self.late = Counter("halfhour_orders_late", "Orders delivered after their promise.", registry=registry)
        self.on_time_share = Gauge(
            "halfhour_on_time_share", f"Share on time of the last {_LATELY} deliveries.", registry=registry
        )

    def _of_the_travel_service(self, registry: CollectorRegistry) -> None:
        self.matrix_requests = Counter(
            "halfhour_matrix_requests", "Questions to the travel service, by how they ended.", ["end"],
            registry=registry,
        )  # fmt: skip
        self.matrix_ways = Counter(
            "halfhour_matrix_ways", "Ways asked of the travel service, as it counts them.", registry=registry
        )
        self.matrix_cells = Gauge("halfhour_matrix_cells", "Cells whose ways are remembered.", registry=registry)
        self.matrix_straight = Gauge(
            "halfhour_matrix_straight", "Ways now in play that are straight lines: not answered yet.", registry=registry
        )
        self.matrix_paused = Gauge(
            "halfhour_matrix_paused", "1 where the travel service is left alone because it fails.", registry=registry
        )

    def _of_the_process(self, registry: CollectorRegistry) -> None:
        self.ready = Gauge("halfhour_ready", "1 where `/readyz` answers 200.", registry=registry)
        self.refused = Gauge(
            "halfhour_refused_at_once", "Commands refused since the start because a lane was full.", ["lane"],
            registry=registry,
        )  # fmt: skip
        self.streams = Gauge("halfhour_streams", "Open event streams.", registry=registry)
        self.webhooks = Gauge("halfhour_webhook_tries", "Tries since the start, by end.", ["end"], registry=registry)
        self.ledger = Gauge(
            "halfhour_ledger", "Of a ledger that several hosts share: epoch, surely_ours_s, resent.", ["what"],
            registry=registry,
        )  # fmt: skip
        self.unfoldable = Gauge(
            "halfhour_unfoldable_entry", "The entry that the journal cannot be folded beyond, 0: none.",
            registry=registry,
        )  # fmt: skip
        self.loop_stall_s = Gauge("halfhour_loop_stall_seconds", "Longest stall of the event loop.", registry=registry)
        self.loop_busy_s = Gauge(
            "halfhour_loop_busy_seconds",
            "Longest stall of the event loop in which it computed all the time: other programs do not count.",
            registry=registry,
        )
        self.requests = Histogram(
            "halfhour_request_seconds", "Answer time.", ["method", "route", "status"],
            buckets=_QUICK_S, registry=registry,
        )  # fmt: skip

    def took(self, events: Iterable[e.Event], board: Board) -> None:
        """Counts what a handled input has led to; call it after the board has applied the events."""
        for event in events:
            if isinstance(event, e.OrderMoved) and event.state.is_final:
                self.ended.labels(event.state.value).inc()
                record = board.orders.get(event.order_id)
                if record is not None:
                    self._judged(record, event)
                if event.state is OrderState.DELIVERED:
                    self._delivered(event.happened_at <= board.orders[event.order_id].order.due_at)

    def _judged(self, record: OrderRecord, event: e.OrderMoved) -> None:
        """What was said against what came; an order called off judges nothing."""
        if event.state is OrderState.CANCELLED:
            return
        for said in record.said:
            p90 = _word(event, said.p90_at)
            self.promise_ends.labels(said.basis, p90).inc()
            self.promise_said.labels(said.basis).inc(said.on_time / 1000)
            tenth = str(said.on_time * 10 // 1000)
            self.promise_tenths.labels(said.basis, tenth, _word(event, said.due_at)).inc()
            for group in said.groups:
                _, _, name = group.partition("/")
                if name.startswith(_SLICED):
                    self.promise_slices.labels(said.basis, name, p90).inc()

    def _delivered(self, on_time: bool) -> None:
        self._lately.append(on_time)
        self.on_time_share.set(sum(self._lately) / len(self._lately))
        if not on_time:
            self.late.inc()

    def searched(self, orders: int, threads: int, gain: Mapping[int, float]) -> None:
        """How many orders a round had, how many threads searched it, and what more of them have been worth."""
        self.backlog.set(orders)
        self.threads.set(threads)
        for number, times in gain.items():
            self.thread_gain.labels(str(number)).set(times)

    def live_speeds(self, live: Iterable[LiveSpeeds], positions: int) -> None:
        """Says what riders' positions change now, and how many were heard since the last time."""
        self.live_positions.inc(positions)
        self.live_streets.clear()
        self.live_factor.clear()
        for each in live:
            self.live_streets.labels(each.profile).set(len(each.factor))
            self.live_factor.labels(each.profile).set(sum(each.factor) / len(each.factor))

    def survey(self, board: Board) -> None:
        """Sets the gauges that tell the state of the board; call it when metrics are asked for."""
        for basis in (QUOTE, PLAN):
            self.promise_calibrated.labels(basis).set(board.promise.is_calibrated(basis))
        states = dict.fromkeys((state for state in OrderState if not state.is_final), 0)
        for record in board.open_orders.values():
            states[record.state] += 1
        for state, count in states.items():
            self.orders.labels(state.value).set(count)
        self.parked_now.labels("order").set(sum(record.parked is not None for record in board.open_orders.values()))
        self.parked_now.labels("rider").set(sum(rider.parked is not None for rider in board.riders.values()))
        doing = dict.fromkeys(("idle", "working", "on_break", "lost", "off_duty"), 0)
        for rider in board.riders.values():
            doing[rider.doing(board.now)] += 1
        for word, count in doing.items():
            self.riders.labels(word).set(count)

    def text(self) -> bytes:
        """Everything in the Prometheus text format."""
        if not self._market:
            return generate_latest(self.registry)
        return generate_latest(cast("CollectorRegistry", _OfMarket(self.registry, self._market)))


class _OfMarket:
    """A registry whose samples say whose they are."""

    def __init__(self, registry: CollectorRegistry, market: str) -> None:
        self._registry, self._market = registry, market

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [one._replace(labels={**one.labels, "market": self._market}) for one in metric.samples]
            yield metric


def _word(event: e.OrderMoved, at: int) -> str:
    """Whether an order that has ended came by an instant."""
    return "kept" if event.state is OrderState.DELIVERED and event.happened_at <= at else "missed"
