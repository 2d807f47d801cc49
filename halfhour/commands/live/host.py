"""`halfhour host`: one machine of several, with a process for each market that it should serve."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "halfhour host --ledger postgresql://halfhour@db1/halfhour --serve munich,porto --config markets/"


def host(
    ledger: Annotated[str, typer.Option(help="The deployment's database, postgresql://user@host/database.")],
    serve: Annotated[str, typer.Option(help="Markets that this host may be given, with commas; * for any.")] = "*",
    config: Annotated[Path | None, typer.Option(help="One file for all, or a folder with MARKET.toml.")] = None,
    node: Annotated[str, typer.Option(help="This host's name among all; the machine's, if not said.")] = "",
    address: Annotated[str, typer.Option("--host", help="Address of the front.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the front; 0 takes a free one.")] = 8080,
    advertise: Annotated[
        str,
        typer.Option(help="Where other hosts reach the front; where it listens, if not said."),
    ] = "",
    lease_s: Annotated[
        float, typer.Option(min=0.5, max=60, help="A silent process loses its market after this.")
    ] = 2.0,
    senders: Annotated[
        int, typer.Option(min=0, max=16, help="Processes that send to webhooks; 0: the markets' own do.")
    ] = 1,
    followers: Annotated[
        bool, typer.Option("--followers", help="Follow markets of other hosts, to take them over without a fold.")
    ] = False,
    development: Annotated[bool, typer.Option(help="Let webhooks call this machine by plain http.")] = False,
) -> None:
    """Serve what this host should serve, and send requests on to whoever has their market."""
    from halfhour.live.agent import Duty

    listener = socket.create_server((address, port))
    reached = socket.gethostname() if address in ("0.0.0.0", "::") else address
    url = advertise or f"http://{reached}:{listener.getsockname()[1]}"
    asyncio.run(
        _run(
            Duty(ledger, node or socket.gethostname(), serve, url, config, lease_s, senders, followers, development),
            listener,
        )
    )


async def _run(duty: object, listener: socket.socket) -> None:
    import uvicorn

    from api.observe.logs import log_json
    from halfhour.live.agent import Agent, Duty
    from halfhour.live.front import Front

    assert isinstance(duty, Duty)
    log_json(sys.stderr)
    agent = Agent(duty)
    front = Front(agent.registry, lambda: agent.markets, agent.where, agent.hurry, agent.figures)
    server = uvicorn.Server(
        uvicorn.Config(front, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2)
    )
    running = asyncio.create_task(agent.run())
    serving = asyncio.create_task(server.serve([listener]))
    sys.stdout.write(f"Halfhour host {duty.name} at {duty.address}, pid {os.getpid()}\n")
    sys.stdout.flush()
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    waiting = asyncio.create_task(ended.wait())
    await asyncio.wait({waiting, running, serving}, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await agent.close()
    server.should_exit = True
    await serving
    await front.close()
