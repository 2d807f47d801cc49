"""The HTTP server: uvicorn, with limits for connections, that says good-bye to streams before it waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from api.config import ServiceConfig
from api.http.transport.connections import Connections, EdgeConfig, most_here
from routing.errors import HalfhourError

__all__ = ["CannotListen", "Server", "bound", "configured"]


def configured(app: FastAPI, service: ServiceConfig) -> EdgeConfig:
    """How uvicorn serves `app`; forwarded addresses are believed from the configured proxies alone."""
    most = most_here(service.most_connections)
    return EdgeConfig(
        app,
        connections=Connections(most, max(4, most // 2), service.proxies),
        host=service.host,
        port=service.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=30,
        server_header=False,
        lifespan="on",
        proxy_headers=bool(service.proxies),
        forwarded_allow_ips=list(service.proxies),
    )


class CannotListen(HalfhourError):
    """The address is taken, not ours, or not allowed."""

    code = "cannot_listen"


def bound(service: ServiceConfig) -> socket.socket:
    """The socket of the service, before anything else is begun; raises CannotListen."""
    try:
        where = socket.getaddrinfo(service.host, service.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        found = socket.socket(where[0], where[1])
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(where[4])
        except OSError:
            found.close()
            raise
    except OSError as problem:
        raise CannotListen(
            f"nobody can listen at {service.host}:{service.port}: {problem.strerror}",
            hint="Name another address with --host or --port, or stop who listens there.",
        ) from problem
    return found


class Server(uvicorn.Server):
    """Serves one application of ours; who watches it would keep a process that ends waiting otherwise."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins; raises what kept the service from it instead of leaving with a bare status."""
        # What is known is said once, in a line of its own; uvicorn would log it with all its frames.
        logging.getLogger("uvicorn.error").addFilter(lambda _: self._app.state.application.failure is None)
        try:
            await super().startup(sockets)
        except SystemExit:
            if self._app.state.application.failure is None:
                raise
            raise self._app.state.application.failure from None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """A signal that asks us to end is answered by ending well, not raised again once we have."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends streams, then everything else."""
        await self._app.state.application.end_streams()
        await super().shutdown(sockets)
