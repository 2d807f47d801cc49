"""The service as one ASGI application: parts put together, started and stopped in order."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from api.access.keys import EPOCH, KeyBook
from api.access.lanes import STREAMS, STREAMS_EACH, Lane, Lanes, shares
from api.access.rate_limits import Limits
from api.access.rules import Gate
from api.access.secret import file_of, secrets_of
from api.access.shedding import Shed
from api.common.clock import Clock
from api.config import Config
from api.console.board_feed import BoardFeed
from api.console.board_view import board_view
from api.console.routes import router as console
from api.console.running import Application
from api.console.streets import StreetLines
from api.http import problems
from api.http.commands import Service
from api.http.openapi import openapi
from api.http.people import routes as people
from api.http.routes import (
    admin,
    deliveries,
    delivery_changes,
    events,
    health,
    operations,
    positions,
    presets,
    quotes,
    riders,
    shadow,
    stops,
    stores,
    traffic,
    webhooks,
)
from api.http.transport.manners import Manners
from api.http.transport.middleware import BodyLimit, QuotaHeaders
from api.http.transport.owned import Owned
from api.ledger import configuration
from api.ledger.opening import market_of
from api.ledger.protocol import Ledger
from api.lifespan import lifespan_of
from api.live.host import LiveHost
from api.live.travel import LiveTravel
from api.live.upkeep.travel_answers import TravelAnswers
from api.matrix.client import MatrixClient
from api.observe.metrics import Metrics
from api.observe.request_meter import RequestMeter
from api.outbox.feed import message
from api.outbox.name_lookups import Lookups
from api.outbox.webhook_request import Post
from api.outbox.webhooks import Webhooks
from api.solver.process import Solver
from api.solver.rounds import Rounds, Solves
from api.solver.travel_state import TravelState
from api.solver.warm_up import warm_up_travel
from dispatch.codec import SCHEMA_VERSION
from dispatch.record.travel_spec import HttpSpec, TravelSpec, travel_spec
from routing.places import LatLng

log = logging.getLogger(__name__)

ROUTERS = (
    deliveries.router,
    delivery_changes.router,
    quotes.router,
    stores.router,
    riders.router,
    people.router,
    positions.router,
    stops.router,
    operations.router,
    presets.router,
    traffic.router,
    events.router,
    shadow.router,
    webhooks.router,
    admin.router,
    health.router,
    console,
)


def header_of(config: Config, version: str) -> dict[str, Any]:
    """The first line of a new ledger's journal."""
    return {
        "schema": SCHEMA_VERSION,
        "code_version": version,
        "frame": config.service.frame,
        "settings": config.engine_settings().flat(),
        "needs": list(config.service.needs),
    }


def create_app(
    config: Config,
    ledger: Ledger,
    *,
    version: str,
    clock: Clock | None = None,
    travel: TravelSpec | None = None,
    solver: Solves | None = None,
    as_shadow: bool = False,
    rates: Any = None,
    names: Lookups | None = None,
    on_start: Callable[[Service], Any] | None = None,
    trusts_journal: bool = False,
    sends: bool = True,
) -> FastAPI:
    """The application over an open ledger.

    `on_start(service)` is awaited once the ledger is folded.  `trusts_journal`: as of LiveHost.  `sends`: false where
    senders of their own send what is due to webhooks.
    """
    header = ledger.header()
    configuration.require_readable(header)
    configuration.require_frame(header, config)
    spec = travel or travel_spec(config.travel)
    clock, metrics = clock or Clock(), Metrics(market_of(ledger.address))
    solver = solver or Solver(TravelState(1, config.service.frame, spec))
    rounds = Rounds(solver, lambda: warm_up_travel(spec), config.service.most_threads)
    times = LiveTravel(spec, config.service.frame, ledger)
    times.check()
    host = LiveHost(
        ledger, config.engine_settings(), travel=times, rounds=rounds, clock=clock, metrics=metrics,
        trusts_journal=trusts_journal,
    )  # fmt: skip
    secret = secrets_of(ledger, file_of(ledger.address, config.service.secret_file))
    lanes = Lanes(shares(config.service.most_waiting), clock=asyncio_time)
    book = KeyBook(secret, ledger, epoch_of=lambda rider_id: ledger.value(EPOCH + rider_id) or 0)
    application = Application(
        config=config,
        ledger=ledger,
        host=host,
        lanes=lanes,
        secret=secret,
        gate=Gate(book, Limits(rates) if rates else Limits(), clock=clock.exact),
        webhooks=_sender(config, host, names or Lookups()),
        stream_slots=Lanes(STREAMS, STREAMS_EACH, clock=asyncio_time),
        version=version,
        shadow=as_shadow,
        board_feed=BoardFeed(lambda: _look(host)),
        street_lines=StreetLines(host),
    )
    application.travel_answers = _travel_answers(spec, host)
    application.restore = lambda answer: deliveries.restored(application, answer)
    app = new_app(version, lifespan_of(application, spec, on_start, sends=sends and not as_shadow))
    app.state.application = application
    problems.install(app)
    _stand_before(app, application)
    return app


def _stand_before(app: FastAPI, application: Application) -> None:
    """What a request passes on its way in, the last one first."""
    ledger, config = application.ledger, application.config
    app.servers = [{"url": config.service.root_path}] if config.service.root_path else []
    app.add_middleware(QuotaHeaders)
    app.add_middleware(BodyLimit, refuse=problems.problem)
    app.add_middleware(Manners, base=config.service.root_path)
    app.add_middleware(
        Owned, is_ours=lambda: ledger.is_surely_ours, following=lambda: application.following, refuse=problems.problem
    )
    slots, clock = application.lanes.of(Lane.NEW), application.host.clock
    app.add_middleware(Shed, slots=slots, keys=application.gate.keys, clock=clock.exact, refuse=problems.problem)
    app.add_middleware(RequestMeter, metrics=application.host.metrics)


def _sender(config: Config, host: LiveHost, names: Lookups) -> Webhooks:
    """The sender of a service's webhooks, with the names that it looks up."""
    development, clock = config.service.development, host.clock
    return Webhooks(
        host.ledger,
        post=lambda hook: Post(hook.url, clock=clock.exact, resolve=names.of(hook.tenant), development=development),
        names=names,
        render=message,
        clock=clock.exact,
        development=development,
    )


def _travel_answers(spec: TravelSpec, host: LiveHost) -> TravelAnswers | None:
    """Who asks the travel service, where times are one's."""
    if not isinstance(spec, HttpSpec):
        return None

    def heard(end: str, ways: int) -> None:
        host.metrics.matrix_requests.labels(end).inc()
        host.metrics.matrix_ways.inc(ways)

    return TravelAnswers(host, MatrixClient(spec, clock=time.monotonic, wall=host.clock.exact, heard=heard))


def new_app(version: str, lifespan: Any = None) -> FastAPI:
    """The application without a service behind it: routes, and the document that describes them."""
    app = FastAPI(
        title="Halfhour",
        version=version,
        summary="Dispatch for 30-minute delivery.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = lambda: openapi(app)  # type: ignore[method-assign]
    return app


def asyncio_time() -> float:
    """Seconds of the running loop's clock."""
    return asyncio.get_running_loop().time()


def _look(host: LiveHost) -> dict[str, Any]:
    def seen(rider_id: str) -> LatLng | None:
        position = host.positions.newest(rider_id)
        return LatLng(position.first, position.second) if position is not None else None

    return board_view(host.board, host.clock.now(), seen=seen, step=host.rounds.ladder.step.name.lower())


def document(version: str = "1") -> dict[str, Any]:
    """The document without a service: what `halfhour openapi` prints and docs/openapi.json holds."""
    from api.application import new_app

    return openapi(new_app(version))


def document_text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"
