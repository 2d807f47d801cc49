"""A service in the test's own process: real ledger, real host, real routes; the solver in process unless told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from api.access.rate_limits import Meter, Rate
from api.application import create_app, header_of
from api.common.api_keys import Scope
from api.common.clock import Clock
from api.config import Config
from api.http.commands import Service
from api.ledger.opening import opened
from api.ledger.protocol import Tenant
from api.outbox.name_lookups import Lookups
from api.solver.messages import RoundTask, SolverFailed
from api.solver.travel_state import AnswersHeard, TravelState
from dispatch.inputs import RoundSolved
from dispatch.rounds.leg_metres import with_metres

LEASE_S = 30.0
"""Of a market in a database: no test here depends on how fast a machine is."""

FREE = {meter: Rate(1e6, 1_000_000) for meter in Meter}


class PatientClock(Clock):
    """Goes with the loop: while that stands still (a busy machine, a kernel being compiled) so does time.

    Riders fall silent and offers expire by the service's clock; no test may depend on how fast a machine is.
    """

    LONGEST_S = 0.05

    def __init__(self, speed: float = 1.0) -> None:
        super().__init__(speed, time.time())
        self._seen = time.monotonic()

    def exact(self) -> float:
        seen = time.monotonic()
        self._at += min(seen - self._seen, self.LONGEST_S) * self.speed
        self._seen = seen
        return self._at

    def not_before(self, at: int) -> None:
        super().not_before(at)
        self._at = max(self._at, at)

    def soon(self, seconds: int = 0) -> str:
        """An instant of this clock as the wire has it."""
        return datetime.fromtimestamp(self.now() + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    async def go(self) -> None:
        """Lets time pass until it is cancelled."""
        while True:
            self.exact()
            await asyncio.sleep(self.LONGEST_S / 4)


class SolvesHere:
    """Solves in the test's process; `say` may be set to answer something else instead."""

    def __init__(self) -> None:
        self.is_warm = True
        self.restarts = 0
        self.say: Any = None
        self.places: Any = None
        self.held: dict[int, TravelState] = {}

    async def start(self) -> None:
        self.is_warm = True

    async def close(self) -> None:
        self.is_warm = False

    async def hold(self, travel: TravelState, heard: AnswersHeard | None = None) -> None:
        self.held = {v: held for v, held in self.held.items() if v == travel.version - 1} | {travel.version: travel}

    async def solve(self, task: RoundTask, timeout_s: float) -> RoundSolved:
        from dispatch.rounds.solve import solve_round

        await asyncio.sleep(0)
        travel = self.held.get(task.travel_version)
        if travel is None:
            raise SolverFailed("travel", f"does not hold {task.travel_version}")
        times = travel.times(travel.spec.bind(self.places()))
        answer = with_metres(task.frozen, solve_round(task.frozen, times, recipe=task.recipe), times)
        if self.say is not None:
            said = self.say(task, answer)
            if isinstance(said, SolverFailed):
                raise said
            return said
        return answer


def _nobody(host: str, port: int) -> list[str]:
    """A resolver without a network."""
    raise OSError(f"nobody knows {host}")


@dataclass
class Running:
    """A service and a client for each kind of key."""

    app: FastAPI
    service: Service
    ledger: Any
    solver: SolvesHere
    http: dict[str, httpx.AsyncClient]
    keys: dict[str, str]
    clock: PatientClock

    def __getattr__(self, name: str) -> httpx.AsyncClient:
        return self.http[name]

    @property
    def host(self) -> Any:
        return self.service.host

    async def until(self, seen: Any, most_s: float = 120.0) -> Any:
        """Waits until `seen()` (or what it awaits) is true, and returns it."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + most_s
        while True:
            found = seen()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            if loop.time() > ends:
                raise AssertionError(f"not within {most_s} s: {seen}")
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(
    place: Path | str,
    *,
    speed: float = 1.0,
    engine: dict[str, Any] | None = None,
    as_shadow: bool = False,
    travel: dict[str, Any] | None = None,
    clock: PatientClock | None = None,
    trusts_journal: bool = False,
    keys: dict[str, str] | None = None,
    **service: Any,
) -> AsyncIterator[Running]:
    """Starts a service over the ledger in a folder or at an address, and closes it; `keys`: where they are made."""
    given = {"engine": engine or {}, "service": {"development": True} | service}
    config = Config.model_validate(given | ({"travel": travel} if travel else {}))
    ledger: Any = opened(str(place), header_of(config, "test"), lease_s=LEASE_S, follows=True)
    solver, clock = SolvesHere(), clock or PatientClock(speed)
    app = create_app(
        config, ledger, version="test", solver=solver, rates=FREE, as_shadow=as_shadow,
        clock=clock, names=Lookups(_nobody), trusts_journal=trusts_journal,
    )  # fmt: skip
    found: Service = app.state.application
    solver.places = lambda: found.host.board.places
    keys = keys or await _keys(found)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    http = {
        name: httpx.AsyncClient(
            transport=transport, base_url="http://halfhour", headers={"Authorization": f"Bearer {key}"}
        )
        for name, key in keys.items()
    }
    http["anyone"] = httpx.AsyncClient(transport=transport, base_url="http://halfhour")
    going = asyncio.create_task(clock.go())
    try:
        async with app.router.lifespan_context(app):
            if not ledger.is_following:
                await found.host.rounds._starting  # insertion compiled
            yield Running(app, found, ledger, solver, http, keys, clock)
    finally:
        going.cancel()
        for client in http.values():
            await client.aclose()
        ledger.close()


async def _keys(service: Service) -> dict[str, str]:
    """A key of each kind, by what it is for."""
    for tenant in ("acme", "bee", "operator"):
        await asyncio.wrap_future(service.ledger.save_tenant(Tenant(tenant, tenant.title(), 0)))
    wanted = (
        ("orders", "acme", [Scope.ORDERS]),
        ("other", "bee", [Scope.ORDERS]),
        ("kitchens", "acme", [Scope.KITCHENS]),
        ("riders", "operator", [Scope.RIDERS]),
        ("ops", "operator", [Scope.OPS]),
        ("admin", "operator", [Scope.ADMIN]),
    )
    now = service.host.clock.now()
    return {name: service.gate.keys.make(tenant, scopes, now)[0] for name, tenant, scopes in wanted}


STORE = {"location": {"lat": 48.137, "lng": 11.575}, "mean_ready_s": 300}
RIDER = {"location": {"lat": 48.138, "lng": 11.576}}
DROP = {"location": {"lat": 48.142, "lng": 11.58}, "phone_number": "+4915112345678", "address": "Canary Street 7"}


def order(external_id: str = "o1", **fields: Any) -> dict[str, Any]:
    """A delivery's body, ready at once."""
    return {"external_delivery_id": external_id, "pickup_store_id": "s1", "dropoff": DROP} | fields


async def with_city(run: Running, riders: int = 1, *, tenants: tuple[str, ...] = (), **rider: Any) -> None:
    """A store, and riders on duty beside it."""
    assert (await run.ops.put("/v1/stores/s1", json=STORE | {"tenants": list(tenants)})).status_code == 200
    for k in range(1, riders + 1):
        assert (await run.riders.put(f"/v1/riders/r{k}", json=RIDER | rider)).status_code == 200
        assert (await run.riders.post(f"/v1/riders/r{k}/shift")).status_code == 200


async def planned(run: Running, order_id: str = "acme.o1") -> Any:
    """Whose route an order stands on, once it stands on one."""
    found = await run.until(lambda: run.host.board.orders[order_id].planned_rider_id)
    await run.host.settled()
    return found
