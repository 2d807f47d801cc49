"""Trials of a live service: an order that is only asked about, tried against the plans of now.

The board is read in one go on the event loop; the insertion runs beside it, one at a time.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from api.common.ids import order_id_of
from api.http.acceptance import order_of
from api.http.schemas.base import access_at
from api.http.schemas.deliveries import QuoteRequest
from dispatch.bounds import require_bounds
from dispatch.engine.decisions.orders import check_alternatives
from dispatch.engine.decisions.promises import promised
from dispatch.fees.marginal import added_by, fee_of
from dispatch.model import Fee, Order, Reason
from dispatch.promise.told import Said
from dispatch.rounds.leg_metres import with_metres
from dispatch.rounds.trial import Fit, frozen_with, made_late, outcome, tried_with

if TYPE_CHECKING:
    from api.http.commands import Service
    from dispatch.inputs import RoundSolved
    from dispatch.rounds.frozen_round import Frozen
    from routing.travel import TravelTimes

log = logging.getLogger(__name__)

ASKED = "?"
"""A tenant's own id of the order that is asked about; no order has it."""


class Trial(NamedTuple):
    """A fit, the order that it is of, with the promise that it would get, and what is said of it."""

    fit: Fit
    order: Order
    said: Said | None
    fee: Fee | None


async def trial(service: Service, tenant: str, body: QuoteRequest) -> Trial:
    """When it would be fetched and delivered if it were ordered now, or why nobody could take it."""
    usual = service.config.service
    if service.travel_answers is not None:
        point = body.dropoff.location
        await service.travel_answers.know(point.lat, point.lng, body.pickup_store_id)
    async with service.trial_turn:  # the place that is looked at is one for all
        host = service.host
        board, now = await host.settled(), host.clock.now()
        where = body.dropoff.location
        drop = host.looked_at(where.lat, where.lng, access_at(body.dropoff.access))
        order = order_of(service, body, order_id_of(tenant, ASKED), drop, now)
        require_bounds(order, now)
        check_alternatives(board, order)
        try:
            frozen = frozen_with(board, order, host.times, now, (usual.drop_enter_s, usual.drop_exit_s))
            answer = await asyncio.to_thread(_answered, frozen, host.times)
        except Exception:  # an order that no round can be planned with costs nobody else their quote
            log.exception("a trial cannot be planned")
            fee = fee_of(host.board, order, host.times, now, None)
            return Trial(Fit(None, None, Reason.BUDGET), order, None, fee)
        found = outcome(answer, order.order_id)
        is_ours = body.dropoff_deadline_at is None
        if is_ours and found.dropoff_at is not None and found.dropoff_at > order.due_at:
            order = replace(order, due_at=found.dropoff_at)  # a promise that is broken already helps nobody
        made, said = promised(host.board, order, found.dropoff_at, now, by_rule=is_ours)
        added = added_by(frozen, answer, order.order_id, host.times)
        return Trial(found, made, said, fee_of(host.board, order, host.times, now, added))


async def late_with(service: Service, order: Order) -> tuple[str, ...]:
    """Orders that would miss their promise with `order` in place of what the board holds of it."""
    async with service.trial_turn:
        host = service.host
        tried = tried_with(await host.settled(), order, host.clock.now())
        return await asyncio.to_thread(made_late, tried, host.times)


def _answered(frozen: Frozen, times: TravelTimes) -> RoundSolved:
    """The answer to a trial's round, its legs with their metres and walks."""
    from dispatch.rounds.solve import solve_round

    return with_metres(frozen, solve_round(frozen, times, recipe="insertion"), times)
