"""Travel times of a running service: where they come from, what has become known since, and how both are passed on.

A change is made ready in the host and in the solver's process, beside what is in use, before the engine hears of it.
The ledger keeps it in the transaction that tells the engine, so that a restart comes back with it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from api.matrix.kept import KeptAnswers
from api.solver.travel_state import TravelState, get_ready, on_streets, under
from routing.asked_travel import AskedTravel
from routing.errors import InvalidInput
from routing.places import PlaceBook
from routing.travel import TravelTimes

if TYPE_CHECKING:
    from api.ledger.protocol import Ledger
    from dispatch.record.travel_spec import TravelSpec
    from routing.roads import RoadTravel, TrafficNews

log = logging.getLogger(__name__)

KEPT = "traffic"
"""The ledger's value: the digest of the times it was handed to, and the news."""


class TravelChange(NamedTuple):
    """Other travel times, the traffic that makes them, and the value that the ledger keeps of it."""

    times: RoadTravel
    news: TrafficNews
    value: tuple[str, Any]


class LiveTravel:
    """The travel times of one service, and what other traffic makes of them."""

    def __init__(self, spec: TravelSpec, frame: str, ledger: Ledger) -> None:
        self.news: TrafficNews | None = None
        self._spec = spec
        self._frame = frame
        self._ledger = ledger
        self.kept: KeptAnswers | None = None
        """What a travel service has answered, where the times are one's."""
        self._opened: TravelTimes | None = None

    def check(self) -> None:
        """Raises what is wrong with where the times come from, before anybody waits for the service."""
        _require_every_hour(self._spec.bind(PlaceBook("plane" if self._frame == "plane" else "wgs84")))

    def bind(self, places: PlaceBook) -> TravelTimes:
        """Travel times for a book, under what had become known; again whenever the book is rebuilt."""
        self._opened = self._spec.bind(places)
        if isinstance(self._opened, AskedTravel):
            self.kept = KeptAnswers(self._ledger, self._opened.answers)
            return self._opened.under(self.kept.answers)
        self.news = self._kept(self._opened.digest)
        times = under(self._opened, self.news)
        _require_every_hour(times)
        return times

    def without_riders(self) -> RoadTravel:
        """The times as they would be if riders' positions said nothing; raises NotOnStreets."""
        assert self._opened is not None
        news = None if self.news is None else replace(self.news, live=())
        return on_streets(under(self._opened, news))

    def sent(self, version: int) -> TravelState:
        """What the solver's process must know of them."""
        answers = None if self.kept is None else self.kept.answers
        return TravelState(version, self._frame, self._spec, self.news, answers)

    async def changed(self, used: TravelTimes, at: int, **changes: Any) -> TravelChange | None:
        """What other `speeds`, `weather`, `table` or `live` make of the times `used`, made ready for the instant `at`.

        None where they stay the same.  Raises NotOnStreets and what `TrafficNews.conditions` raises.
        """
        from routing.roads import TrafficNews

        on_streets(used)
        news = replace(self.news or TrafficNews(), **changes)
        fresh = await asyncio.to_thread(self._made_ready, news, used, at)
        if fresh.digest == used.digest:
            return None
        assert self._opened is not None
        return TravelChange(fresh, news, (KEPT, {"opened": self._opened.digest, "news": news.as_json()}))

    def _made_ready(self, news: TrafficNews, used: TravelTimes, at: int) -> RoadTravel:
        assert self._opened is not None
        fresh = on_streets(under(self._opened, news))
        _require_every_hour(fresh)
        fresh.check()
        get_ready(fresh, used, at)
        return fresh

    def _kept(self, opened_digest: str) -> TrafficNews | None:
        kept = self._ledger.value(KEPT)
        if kept is None:
            return None
        if kept["opened"] != opened_digest:
            log.warning("the streets or what they open with have changed: traffic handed over before is forgotten")
            return None
        from routing.roads import TrafficNews

        return TrafficNews.from_json(kept["news"])


def _require_every_hour(times: TravelTimes) -> None:
    """A service runs on and on, so its table of traffic must hold at every instant."""
    from routing.roads import RoadTravel

    table = times.network.state.conditions.table if isinstance(times, RoadTravel) else None
    if table is not None and not table.daily:
        raise InvalidInput(
            "a service needs a table of traffic for every hour of every day",
            code="invalid_traffic",
            field="table",
            hint="Let its starts_at be a time of day.",
        )
