"""The HTTP server: uvicorn, with limits for connections, that says good-bye to streams before it waits for them."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from api.connections import Connections, EdgeConfig, most_here
from api.settings import Service

__all__ = ["Server", "configured", "end_streams"]


def configured(app: FastAPI, service: Service) -> EdgeConfig:
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


class Server(uvicorn.Server):
    """Serves one application of ours; who watches it would keep a process that ends waiting otherwise."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins; raises what kept the service from it instead of leaving with a bare status."""
        try:
            await super().startup(sockets)
        except SystemExit:
            if self._app.state.failure is None:
                raise
            raise self._app.state.failure from None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends streams, then everything else."""
        await end_streams(self._app)
        await super().shutdown(sockets)


async def end_streams(app: FastAPI) -> None:
    """Ends every event stream; viewers come back with their `Last-Event-ID`."""
    app.state.service.host.feed.close()
    await app.state.board_feed.close()
