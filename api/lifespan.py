"""The life of a service: its ledger is folded, or followed until it is ours; then it works, until it ends in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI

from api.http.commands import Service
from api.http.routes import shadow
from api.ledger import configuration
from api.ledger.protocol import Write
from api.live import store_hours
from api.live.following import Follower
from api.live.rider_speeds import RiderSpeeds
from api.live.upkeep.chores import keep_keys, renew
from api.live.upkeep.chores import run as look_after
from dispatch.record.travel_spec import TravelSpec, travel_table
from dispatch.settings.choosing import remarks
from dispatch.settings.names import former_names
from routing.errors import HalfhourError

log = logging.getLogger(__name__)

OnStart = Callable[[Service], Any]


def lifespan_of(
    service: Service, spec: TravelSpec, on_start: OnStart | None, *, sends: bool
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What an ASGI server runs around the requests."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        life = _Life(service, spec, on_start, sends=sends)
        if service.ledger.is_following:
            service.following = Follower(service.host, service.config.engine_settings())
            life.spawn(life.follow(service.following))
        else:
            try:
                await life.begin()
            except HalfhourError:
                await life.close()
                raise
        try:
            yield
        finally:
            await life.end()

    return lifespan


class _Life:
    def __init__(self, service: Service, spec: TravelSpec, on_start: OnStart | None, *, sends: bool) -> None:
        self._service, self._spec, self._on_start, self._sends = service, spec, on_start, sends
        self._chores: list[asyncio.Task[None]] = []
        self._renewing: asyncio.Task[None] | None = None

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._chores.append(asyncio.create_task(work))

    async def follow(self, follower: Follower) -> None:
        """Follows the market until it is ours, and works from then on; a failure ends the service."""
        service = self._service
        self.spawn(keep_keys(service.host, service.ledger, service.gate.keys))
        try:
            await follower.run(log.info, self._renew)
            service.following = None
            await self._work()
        except HalfhourError as problem:
            log.critical("the process ends: %s", problem.message)
            service.failure = problem

    async def begin(self) -> None:
        """Folds the ledger and begins to work."""
        service = self._service
        self._renew()
        try:
            await service.host.fold()
            self.spawn(keep_keys(service.host, service.ledger, service.gate.keys))
            await self._work()
        except HalfhourError as problem:
            service.failure = problem
            raise

    async def close(self) -> None:
        """Ends what was begun of a service that could not start."""
        await self._end_chores()
        await self._service.host.rounds.close()

    async def end(self) -> None:
        """Ends in order."""
        service = self._service
        await self._end_chores()
        await service.webhooks.close()
        await service.end_streams()
        await service.host.close()
        if self._renewing is not None:
            self._renewing.cancel()

    async def _end_chores(self) -> None:
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)

    def _renew(self) -> None:
        self._renewing = asyncio.create_task(renew(self._service.host, self._service.ledger.lease_s))

    async def _work(self) -> None:
        service = self._service
        host = service.host
        await _open(service, self._spec)
        if service.shadow:
            await shadow.begin(service)
        if self._on_start is not None:
            await self._on_start(service)
        if self._sends:
            host.feed.listeners.append(service.webhooks.notify)
            service.webhooks.start()
        self.spawn(look_after(host, service.ledger, service.config.service))
        if service.travel_answers is not None:
            self.spawn(service.travel_answers.run())
        if service.config.service.live_speeds:
            self.spawn(RiderSpeeds(host).run())


async def _open(service: Service, spec: TravelSpec) -> None:
    """Begins to work on a board that is at its ledger's end, under a configuration that fits it."""
    host, ledger, config = service.host, service.ledger, service.config
    begun = ledger.head() > 0
    if not begun:
        config.engine_settings(ordered=True)
    configuration.require_fit(host.board, config, host.times.profiles)
    values: list[tuple[str, Any]] = []
    header = configuration.completed(ledger.header(), service.version, ledger.head())
    table = travel_table(spec, for_process=True)
    if header is not None:
        log.warning("the ledger is of this version from now on: an earlier one can no longer read it")
        values.append(("header", header))
    told = {"travel": table, "time_zone": config.service.time_zone}  # for whoever reads the ledger without the file
    values += [(name, value) for name, value in told.items() if ledger.value(name) != value]
    if values:
        await asyncio.wrap_future(ledger.append(Write(extra=values)))
    await host.start()
    await store_hours.renew(host, config.service.time_zone)
    for make in configuration.openings(host.board, config):
        await host.tell(make)
    if begun:
        service.notes = former_names(config.engine) + configuration.differences(host.board, config)
    else:
        service.notes = remarks(config.engine, host.board.settings)
    for said in service.notes:
        log.warning(said)
