"""The HTTP server: uvicorn, that says good-bye to streams before it waits for them."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

__all__ = ["Server", "end_streams"]


class Server(uvicorn.Server):
    """Serves one application of ours; who watches it would keep a process that ends waiting otherwise."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends streams, then everything else."""
        await end_streams(self._app)
        await super().shutdown(sockets)


async def end_streams(app: FastAPI) -> None:
    """Ends every event stream; viewers come back with their `Last-Event-ID`."""
    app.state.service.host.feed.close()
    await app.state.board_feed.close()
