"""Trials of a live service: an order that is only asked about, tried against the plans of now.

The board is read in one go on the event loop; the insertion runs beside it, one at a time.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from api.common.ids import order_id_of
from api.http.acceptance import order_of
from api.http.schemas.deliveries import QuoteRequest
from dispatch.model import Reason
from dispatch.rounds.trial import Fit, frozen_with, outcome

if TYPE_CHECKING:
    from api.http.commands import Service

log = logging.getLogger(__name__)

ASKED = "?"
"""A tenant's own id of the order that is asked about; no order has it."""


async def fit(service: Service, tenant: str, body: QuoteRequest) -> Fit:
    """When it would be fetched and delivered if it were ordered now, or why nobody could take it."""
    from dispatch.rounds.solve import solve_round

    usual = service.config.service
    async with service.trial_turn:  # the place that is looked at is one for all
        host = service.host
        board, now = await host.settled(), host.clock.now()
        drop = host.looked_at(body.dropoff.location.lat, body.dropoff.location.lng)
        order = order_of(service, body, order_id_of(tenant, ASKED), drop, now)
        frozen = frozen_with(board, order, host.times, now, (usual.drop_enter_s, usual.drop_exit_s))
        try:
            answer = await asyncio.to_thread(solve_round, frozen, host.times, recipe="insertion")
        except Exception:  # an order that no round can be planned with costs nobody else their quote
            log.exception("a trial cannot be planned")
            return Fit(None, None, Reason.BUDGET)
    return outcome(answer, order.order_id)
