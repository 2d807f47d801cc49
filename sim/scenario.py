"""A Scenario: the catalogue, the demand, and the truth that only the simulated city knows."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from dispatch.codec import encode, plain
from dispatch.inputs import Input
from dispatch.model import Order, Store
from dispatch.policies.recorded import RecordedDecision
from dispatch.record.catalogue import Catalogue
from dispatch.record.travel_spec import TravelSpec
from routing.errors import InvalidInput

MAX_DAY_S = 14 * 86_400
"""Orders and shifts further apart than this are taken for an error in the data."""


@dataclass(frozen=True, slots=True)
class Demand:
    """One order as it will be placed, and what the city knows of it."""

    order: Order
    ready_at: int
    """When the goods really stand on the counter."""
    cancelled_at: int | None = None


@dataclass(frozen=True, slots=True)
class Reality:
    """How the true city differs from what the engine believes.  All noise is off by default."""

    travel_round_s: int = 1
    """True travel times are rounded up to multiples of this (published days: whole minutes)."""
    travel: TravelSpec | None = None
    """True travel times where they are another table's than the engine's."""
    travel_sigma: float = 0.0
    """Spread (of the logarithm) of a leg's true time around its table time; legs of one quarter of an hour agree."""
    service_sigma: float = 0.0
    """Spread (of the logarithm) of the seconds before and after the acts of a stop."""
    ready_sigma_s: int = 0
    """Spread of true ready times around the scenario's, seconds."""
    absent_share: float = 0.0
    """Share of customers who do not open the door."""
    absent_wait_s: int = 300
    """Seconds a rider waits for them."""
    decline_share: float = 0.1
    """Share of offers that a crowd rider turns down."""
    silent_share: float = 0.0
    """Share of offers that they do not answer."""
    answer_s: int = 8
    """Seconds until they answer."""
    early_logoff_share: float = 0.0
    """Share of shifts that end before their time."""
    position_every_s: int = 0
    """Seconds between two positions of a phone; 0: none, stop reports only."""
    position_loss: float = 0.0
    """Share of positions that never arrive."""
    report_delay_s: int = 0
    """Mean seconds by which reports of stops are late (drawn per report); they are never lost."""
    solver_latency_s: int = 0
    """Modelled seconds between the opening of a round and its answer."""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if isinstance(value, int | float) and value < 0:
                raise InvalidInput(f"{item.name} is negative: {value}", field=f"truth.{item.name}")
            if item.name.endswith(("share", "loss")) and value > 1:
                raise InvalidInput(f"{item.name} is more than one: {value}", field=f"truth.{item.name}")
        if self.travel_round_s < 1:
            raise InvalidInput("travel_round_s must be at least 1", field="truth.travel_round_s")

    @property
    def has_luck(self) -> bool:
        """True where chance plays a part: two seeds then give two days."""
        return any(
            (
                self.travel_sigma,
                self.service_sigma,
                self.ready_sigma_s,
                self.absent_share,
                self.early_logoff_share,
                self.position_every_s and self.position_loss,
                self.report_delay_s,
            )
        )


class RecordedTimes(NamedTuple):
    """When an order was fetched and brought on the recorded day, None where that is not known: for reports alone."""

    order_id: str
    picked_up_at: int | None = None
    delivered_at: int | None = None


@dataclass(frozen=True)
class Scenario:
    """A day that can be replayed.  `demand` is in the order of placement, ties in the order of the source."""

    catalogue: Catalogue
    demand: tuple[Demand, ...]
    reality: Reality = field(default_factory=Reality)
    news: tuple[Input, ...] = ()
    """Further exogenous inputs: stores that close, breaks, new zones."""
    notes: tuple[str, ...] = ()
    """What the reader repaired or left out, one sentence each."""
    recorded: tuple[RecordedDecision, ...] = ()
    """What another dispatcher decided on this day: the policy `recorded` reads it, and nothing else does."""
    recorded_times: tuple[RecordedTimes, ...] = ()

    def __post_init__(self) -> None:
        placed = [one.order.placed_at for one in self.demand]
        if placed != sorted(placed):
            raise InvalidInput("demand must be in the order of placement", field="placed_at")

    @property
    def name(self) -> str:
        """The scenario's name, as in the run's summary."""
        return self.catalogue.name

    @property
    def ends_at(self) -> int:
        """The last instant at which a rider may be given work, or an order or other news comes in."""
        last_pickup = max((shift.last_pickup_at for shift in self.catalogue.shifts), default=self.catalogue.begin_at)
        last_placed = self.demand[-1].order.placed_at if self.demand else self.catalogue.begin_at
        return max(last_pickup, last_placed, max((item.at for item in self.news), default=last_placed))

    @property
    def has_luck(self) -> bool:
        """True where chance plays a part besides the seed of the search."""
        return self.reality.has_luck or any(rider.engagement == "crowd" for rider in self.catalogue.riders)

    def digest(self, *travel: str) -> str:
        """Short hash of all that happens on this day: catalogue, orders, promises, truth, news, recorded decisions.

        `travel`: digests of the travel times, believed and true.  Names and settings are left out: a day stays the same
        day under another name, and a run states its settings itself.
        """
        catalogue = self.catalogue.described()
        for label in ("name", "source", "attribution", "settings", "travel"):
            del catalogue[label]
        value = {
            "catalogue": catalogue,
            "travel": travel,
            "demand": [plain(one) for one in self.demand],
            "truth": plain(dataclasses.replace(self.reality, travel=None)),
            "news": [encode(item) for item in self.news],
            **({"recorded": self.recorded} if self.recorded else {}),
        }
        return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()[:16]

    def before(self, at: int) -> Scenario:
        """The same day without every order placed at `at` or later; the catalogue stays."""
        return dataclasses.replace(
            self,
            demand=tuple(one for one in self.demand if one.order.placed_at < at),
            news=tuple(item for item in self.news if item.at < at),
        )

    def fresh(self) -> Scenario:
        """A copy whose PlaceBook a run may move riders in."""
        places = copy.deepcopy(self.catalogue.places)
        return dataclasses.replace(self, catalogue=dataclasses.replace(self.catalogue, places=places))


def stores_with_means(stores: Iterable[Store], demand: Iterable[Demand]) -> tuple[Store, ...]:
    """The stores with the mean seconds from placement to ready of all their orders (rounded), where they have any."""
    total: dict[str, tuple[int, int]] = {}
    for one in demand:
        sum_s, count = total.get(one.order.store_id, (0, 0))
        total[one.order.store_id] = (sum_s + one.ready_at - one.order.placed_at, count + 1)
    return tuple(
        dataclasses.replace(store, mean_ready_s=round(total[store.store_id][0] / total[store.store_id][1]))
        if store.store_id in total
        else store
        for store in stores
    )
