"""`halfhour serve`: the live dispatch service over an embedded ledger."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from routing.errors import InvalidInput

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.config import Config
    from api.http.commands import Service
    from api.ledger.protocol import Ledger
    from dispatch.promise.tracker import Tracker

EXAMPLE = "halfhour serve --port 8080"
KEY_S = 86_400
"""Keys that are made at each start are good for a day."""


class Options(NamedTuple):
    """What the command line says beside the configuration."""

    ledger: str
    json: bool
    robots: bool
    shadow: bool
    speed: float
    trust_journal: bool
    node: str
    new_configuration: bool
    lease_s: float
    sends: bool
    begun_with: Tracker | None
    """What promises begin with."""


def serve(
    config: Annotated[Path | None, typer.Option(help="A TOML file; without it a demo city is served.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the ledger.")] = None,
    ledger: Annotated[str, typer.Option(help="Instead: a database, postgresql://user@host/database.")] = "",
    market: Annotated[
        str, typer.Option(help="Which ledger of that database; this waits while another host has it.")
    ] = "",
    node: Annotated[str, typer.Option(help="This host's name among those of the database; its own, if not said.")] = "",
    lease_s: Annotated[
        float, typer.Option(min=0.5, max=60, help="Another host takes the market after so long a silence.")
    ] = 5.0,
    new_configuration: Annotated[
        bool, typer.Option(help="Serve the market under this configuration from now on, though it had another one.")
    ] = False,
    send: Annotated[
        bool, typer.Option("--send/--no-send", help="Send to webhooks; not where `halfhour send` does.")
    ] = True,
    promise: Annotated[
        Path | None, typer.Option(help="What promises begin with, where nothing is learnt yet: halfhour promise fit.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen at.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
    robots: Annotated[bool, typer.Option(help="Let simulated riders work for it.")] = False,
    shadow: Annotated[bool, typer.Option(help="Take another dispatcher's facts and send nothing out.")] = False,
    development: Annotated[bool, typer.Option(help="Let webhooks call this machine by plain http.")] = False,
    trust_journal: Annotated[
        bool, typer.Option(help="Go on from the journal's last entry though the machine's clock is behind it.")
    ] = False,
    clock_speed: Annotated[float, typer.Option(min=0.1, max=1000, help="Seconds per second; for tests.")] = 1.0,
) -> None:
    """Run the live dispatch service."""
    from api.config import read_config
    from halfhour.promising import read

    found = read_config(config)
    service = found.service
    said: dict[str, Any] = {"host": host, "port": port, "development": development or None}
    said["promise_file"] = None if promise is None else str(promise)
    service = service.model_copy(update={name: value for name, value in said.items() if value is not None})
    options = Options(
        _address(data, ledger, market), as_json, robots, shadow, clock_speed, trust_journal, node, new_configuration,
        lease_s, send, None if service.promise_file is None else read(service.promise_file),
    )  # fmt: skip
    # A few large arrays and many small objects: fewer arenas keep the memory of a long day flat.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    _run(_serve(found.model_copy(update={"service": service}), options, demo=config is None))


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Runs `work` on the faster loop, where there is one for this machine."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


def _address(data: Path | None, ledger: str, market: str) -> str:
    """Where the ledger is, of what the command line says; raises InvalidInput where that contradicts itself."""
    if not ledger:
        if market:
            raise InvalidInput(
                "a market is one of several in a database", field="market", hint="Name it with --ledger."
            )
        return str(data if data is not None else usual_folder())
    if data is not None:
        raise InvalidInput(
            "a ledger is in a folder or in a database", field="ledger", hint="Leave --data or --ledger out."
        )
    return f"{ledger}#{market}" if market else ledger


def _alike(config: Config, options: Options) -> dict[str, str]:
    """What all hosts of a market in a database must have alike; of a folder there is one host."""
    from api.access.secret import file_of, known
    from api.ledger.configuration import parts_of
    from api.ledger.opening import in_database

    if not in_database(options.ledger):
        return {}
    return parts_of(config, known(file_of(options.ledger, config.service.secret_file)))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def usual_folder() -> Path:
    """Where the ledger lives unless the command line says otherwise."""
    import platformdirs

    return Path(platformdirs.user_data_dir("halfhour")) / "live"


async def _serve(config: Config, options: Options, *, demo: bool) -> None:
    from api.http.transport.server import bound
    from api.solver.process import Solver
    from api.solver.travel_state import TravelState
    from dispatch.record.travel_spec import travel_spec

    listener = bound(config.service)
    # The solver's process gets ready on another core while this one reads the rest of the program.
    spec = travel_spec(config.travel)
    solver = Solver(TravelState(1, config.service.frame, spec))
    await solver.launch()
    from api.application import create_app
    from api.common.clock import Clock
    from api.http.transport.server import Server, configured
    from api.ledger.opening import in_database
    from api.live.upkeep.gc_pauses import ShortCollections
    from api.observe.logs import log_json
    from api.observe.watchdog import Watchdog
    from dispatch.version import __version__
    from halfhour.compiling import compiling
    from halfhour.live.holding import get_ready, leave_when_asked

    log_json(sys.stderr)
    if in_database(options.ledger):
        await get_ready(solver, spec)
    ledger = await asyncio.to_thread(_opened, config, options)
    clock = Clock(options.speed) if options.speed != 1.0 else None
    app = create_app(
        config, ledger, version=__version__, clock=clock, travel=spec, solver=solver, as_shadow=options.shadow,
        on_start=partial(_on_start, options.begun_with, demo), trusts_journal=options.trust_journal,
        sends=options.sends,
    )  # fmt: skip
    server = Server(app, configured(app, config.service))
    running = asyncio.create_task(server.serve([listener]))
    leaving = asyncio.create_task(leave_when_asked(app.state.application, server, _say))
    watchdog, riders = Watchdog(), None
    watchdog.start()
    try:
        with compiling(has_log=True):
            is_ready = await _ready(server, app, running)
        if is_ready:
            ShortCollections().watch()
            url = _url(server, config)
            keys = await asyncio.to_thread(_keys, app, demo)
            _announce(url, keys, options, app.state.application.notes)
            watchdog.say("READY=1")
            if options.robots:
                riders = await _robots(url, keys, options.speed)
        await running
    finally:
        if riders is not None:
            with contextlib.suppress(ProcessLookupError):
                riders.kill()
            await riders.wait()
        leaving.cancel()
        ledger.close()
        await watchdog.stop()
    if not server.started or app.state.application.failure is not None:
        raise typer.Exit(1)


def _opened(config: Config, options: Options) -> Ledger:
    """The market's ledger; waits for it while another host has it."""
    from api.application import header_of
    from api.ledger.opening import opened
    from dispatch.version import __version__

    return opened(
        options.ledger, header_of(config, __version__), version=__version__, wait_s=None, on_wait=_say,
        node=options.node, configuration=_alike(config, options), changes_configuration=options.new_configuration,
        lease_s=options.lease_s, follows=True,
    )  # fmt: skip


async def _ready(server: Any, app: FastAPI, running: asyncio.Task[None]) -> bool:
    """Waits until the service may be given work; False where it ended before."""
    service: Service = app.state.application
    while not (server.started and service.host.is_ready):
        if running.done():
            return False
        await asyncio.sleep(0.02)
    return True


def _url(server: Any, config: Config) -> str:
    port = server.servers[0].sockets[0].getsockname()[1]
    host = config.service.host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _keys(app: FastAPI, demo: bool) -> dict[str, str]:
    """Keys of the demo tenant and its operator, made anew at each start; a configured service makes its own."""
    from api.common.api_keys import Scope

    service: Service = app.state.application
    if not demo:
        return {}
    book = service.gate.keys
    now = service.host.clock.now()
    wanted = (
        ("orders", "demo", [Scope.ORDERS]),
        ("riders", "operator", [Scope.RIDERS]),
        ("ops", "operator", [Scope.OPS]),
        ("admin", "operator", [Scope.ADMIN]),
    )
    return {name: book.make(tenant, scopes, now, valid_s=KEY_S, label="demo")[0] for name, tenant, scopes in wanted}


def _demo_tenants(service: Service) -> None:
    from api.ledger.protocol import Tenant

    known = {tenant.tenant for tenant in service.ledger.tenants()}
    for tenant in ("demo", "operator"):
        if tenant not in known:
            service.ledger.save_tenant(Tenant(tenant, tenant.title(), service.host.clock.now())).result()


async def _on_start(begun_with: Tracker | None, demo: bool, service: Service) -> None:
    """What a service begins with, before its first caller: what promises count from, and the demo city."""
    from halfhour.promising import begin_with

    if begun_with is not None:
        service.notes.append(await begin_with(service.host, begun_with))
        logging.getLogger(__name__).info(service.notes[-1])
    if demo:
        await _demo_city(service)


async def _demo_city(service: Service) -> None:
    """Tenants, stores and riders for an empty ledger, so that the first order has somewhere to go."""
    from api.http.routes.riders import list_rider
    from api.http.routes.stores import list_store
    from halfhour.live.demo_city import riders, stores

    await asyncio.to_thread(_demo_tenants, service)
    board = service.host.board
    if not board.stores:
        for store_id, store in stores():
            await list_store(service, store_id, store.model_copy(update={"tenants": ["demo"]}))
    if not board.riders:
        for rider_id, rider in riders():
            await list_rider(service, rider_id, rider)


async def _robots(url: str, keys: dict[str, str], speed: float) -> asyncio.subprocess.Process:
    """Robots for this service; the key goes by pipe, for everybody may read the words of a command."""
    from api.common.parent_process import environment_of_child

    words = (sys.executable, "-c", "from halfhour.commands.live.robots import for_service; for_service()")
    riders = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.PIPE, env=environment_of_child())
    assert riders.stdin is not None
    given = {"url": url, "key": keys.get("admin", ""), "speed": speed, "parent": os.getpid()}
    riders.stdin.write(json.dumps(given).encode())
    riders.stdin.close()
    return riders


def _announce(url: str, keys: dict[str, str], options: Options, notes: list[str]) -> None:
    """Says that the service is ready, and where it does not do what its configuration says."""
    from api.ledger.opening import shown

    if options.json:
        sys.stdout.write(json.dumps({"url": url, "keys": keys, "notes": notes}) + "\n")
        sys.stdout.flush()
        return
    sys.stdout.write(_walk_through(url, keys, shown(options.ledger)) if keys else f"Halfhour serves at {url}\n")
    if not (sys.stdout.isatty() and sys.stderr.isatty()):  # a terminal has them from the log
        sys.stdout.writelines(f"note: {said}\n" for said in notes)
    sys.stdout.flush()


def _walk_through(url: str, keys: dict[str, str], ledger: str) -> str:
    mine = f"o-{int(time.time())}"  # another one at each start: what is shown can be done again
    body = f'{{"external_delivery_id": "{mine}", "pickup_store_id": "store-1",'
    body += ' "dropoff": {"location": {"lat": 48.1435, "lng": 11.5820}}}'
    return f"""Halfhour serves at {url}        ledger: {ledger}
  documentation {url}/docs
  board         {url}/board#key={keys["ops"]}

Keys, good for a day:
  export HH={url}
  export ORDERS={keys["orders"]}
  export RIDERS={keys["riders"]}
  export OPS={keys["ops"]}
  export ADMIN={keys["admin"]}

1. A rider begins a shift beside the store:
  curl -s -X POST $HH/v1/riders/rider-1/shift -H "Authorization: Bearer $RIDERS"

2. The order system hands over an order:
  curl -s -X POST $HH/v1/deliveries -H "Authorization: Bearer $ORDERS" -H "Content-Type: application/json" \\
    -d '{body}'

3. The kitchen has it ready, and the rider is told the route:
  curl -s -X POST $HH/v1/deliveries/{mine}/ready -H "Authorization: Bearer $ORDERS"
  curl -s "$HH/v1/riders/rider-1/route?after_revision=0&wait_s=10" -H "Authorization: Bearer $RIDERS"

4. What has happened so far, and why:
  curl -s "$HH/v1/events" -H "Authorization: Bearer $ORDERS"
  curl -s $HH/v1/decisions/{mine} -H "Authorization: Bearer $ORDERS"

Ctrl-C ends the service; the ledger stays.
"""
