"""What a host does about a failure of ours that orders or riders bring about: they are parked, the city goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from api.common.clock import Clock
from api.observe.metrics import Metrics
from dispatch.engine.engine import Engine
from dispatch.events import Event, RoundOpened
from dispatch.inputs import Input, Parked, RoundSolved, Wake
from dispatch.rounds.blame import UNPLANNABLE, unplannable, without
from dispatch.rounds.frozen_round import Frozen
from routing.travel import TravelTimes

log = logging.getLogger(__name__)


class ParkingHost(Protocol):
    """What is needed of the live host."""

    clock: Clock
    metrics: Metrics

    @property
    def engine(self) -> Engine: ...

    def report(self, make: Callable[[int], Input]) -> tuple[Event, ...]: ...


def park(host: ParkingHost, blame: Parked) -> None:
    """Lets those take no part whom something failed because of; the journal, its notices and a metric tell."""
    host.report(lambda at: replace(blame, at=at))
    for what, ids in (("order", blame.order_ids), ("rider", blame.rider_ids)):
        host.metrics.parked.labels(what).inc(len(ids))


def frozen(engine: Engine) -> Frozen | None:
    """The round that has just opened as arrays; None where somebody cannot be put into them."""
    try:
        return engine.freeze()
    except Exception:
        log.exception("a round cannot be frozen")
        return None


async def park_unplannable(host: ParkingHost, opened: RoundOpened, times: TravelTimes) -> RoundSolved:
    """Parks whoever the round failed because of; the answer that keeps everything as it is."""
    board = host.engine.board
    found = await asyncio.to_thread(unplannable, board.dump(), board.places, times)
    if found.order_ids or found.rider_ids:
        park(host, Parked(at=opened.at, order_ids=found.order_ids, rider_ids=found.rider_ids, reason=UNPLANNABLE))
    else:
        log.error("rounds cannot be planned, and neither an order nor a rider is to blame")
    return RoundSolved(at=opened.at, round=opened.round, cause="FALLBACK")


def acceptable(host: ParkingHost, answer: RoundSolved) -> RoundSolved:
    """What the engine takes of an answer that it fails on; riders whose part in it is at fault are parked."""
    blame = host.engine.to_blame(replace(answer, at=host.clock.now()))
    if blame is not None:
        park(host, blame)
        return without(answer, blame)
    log.error("round %d: no rider is to blame for its answer", answer.round)
    return RoundSolved(at=answer.at, round=answer.round, cause="FALLBACK")


def wake(host: ParkingHost, now: int) -> tuple[Event, ...]:
    """Lets time pass; riders for whom that fails are parked, so that it passes for all others."""
    try:
        return host.report(lambda at: Wake(at=at))
    except Exception:
        blame = host.engine.to_blame(Wake(at=now))
        if blame is None:
            raise
        log.exception("a wake-up fails because of riders, who are parked")
    park(host, blame)
    return host.report(lambda at: Wake(at=at))
