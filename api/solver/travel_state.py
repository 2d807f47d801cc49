"""Travel times as they are handed to a process: a version, where they come from, what has become known since."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from routing.answers import AnswerBlock, Answers
from routing.asked_travel import AskedTravel
from routing.errors import HalfhourError
from routing.travel import TravelTimes

if TYPE_CHECKING:
    from dispatch.record.travel_spec import TravelSpec
    from routing.roads import RoadTravel, TrafficNews


class NotOnStreets(HalfhourError):
    """Traffic was handed to a service that does not travel on streets."""

    code = "not_on_streets"


class TravelState(NamedTuple):
    """Travel times as they are sent: a version, where they come from, traffic handed over and answers heard since."""

    version: int
    frame: str
    spec: TravelSpec
    news: TrafficNews | None = None
    answers: Answers | None = None

    def is_same(self, other: TravelState) -> bool:
        """Whether whoever holds these times need not be told the other ones."""
        here, there = (self.version, self.frame, self.spec), (other.version, other.frame, other.spec)
        return here == there and self.news is other.news and self.answers is other.answers

    def times(self, opened: TravelTimes) -> TravelTimes:
        """The times as they opened, under what has become known since."""
        if isinstance(opened, AskedTravel):
            return opened if self.answers is None else opened.under(self.answers)
        return under(opened, self.news)


class AnswersHeard(NamedTuple):
    """What a travel service has answered more: what makes the times of `version` of those before."""

    version: int
    block: AnswerBlock


def under(opened: TravelTimes, news: TrafficNews | None) -> TravelTimes:
    """Travel times under news of traffic; None leaves them as they opened."""
    return opened if news is None else on_streets(opened).under(news)


def get_ready(fresh: TravelTimes, like: TravelTimes, at: int) -> None:
    """Makes ready in `fresh`, for the instant `at`, what `like` is asked for."""
    if fresh is not like and not isinstance(fresh, AskedTravel):
        on_streets(fresh).get_ready_for(at, on_streets(like))


def on_streets(times: TravelTimes) -> RoadTravel:
    """Travel times as those of streets; raises NotOnStreets."""
    from routing.roads import RoadTravel

    if not isinstance(times, RoadTravel):
        raise NotOnStreets(
            "this service does not travel on streets", hint='Its configuration needs [travel] kind = "roads".'
        )
    return times
