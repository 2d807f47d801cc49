"""What a process does around a market of a database: before it takes it, and when it should leave it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.http.commands import Service
    from api.solver.process import Solver
    from dispatch.record.travel_spec import TravelSpec


async def get_ready(solver: Solver, spec: TravelSpec) -> None:
    """All that can be done before a market is taken: from then on somebody waits for every second."""
    from api.solver.messages import SolverFailed
    from api.solver.warm_up import compiled, warm_up_rounds, warm_up_travel
    from api.solver.warm_up import get_ready as imported

    async def other_process() -> None:
        with contextlib.suppress(SolverFailed, OSError):  # it is tried again by itself
            await solver.start()

    starting = asyncio.create_task(other_process())
    await asyncio.to_thread(imported)
    await compiled(starting)
    await asyncio.to_thread(warm_up_travel, spec)
    await asyncio.to_thread(warm_up_rounds, "insertion")
    await starting


async def leave_when_asked(service: Service, server: Any, say: Callable[[str], None]) -> None:
    """Ends in order once another host should have the market and waits for it, or it could not be taken over."""
    from api.ledger.protocol import LedgerFailed

    ledger = service.ledger
    while ledger.is_far:
        await asyncio.sleep((ledger.lease_s or 1.0) / 8)
        if service.failure is not None:
            say(f"{service.failure.message} [{service.failure.code}]")
            server.should_exit = True
            return
        with contextlib.suppress(LedgerFailed):
            if await asyncio.to_thread(ledger.asked_to_leave):
                say("another host should have this market: it is given back")
                server.should_exit = True
                return
