"""Connections that nobody can hoard: heads and bodies have a time, heads a size, and there are only so many at once.

Where no more may be open the one that has been idle longest makes room; whoever is being answered is never cut off.
"""

from __future__ import annotations

import asyncio
import json
import resource
from collections import Counter, OrderedDict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, NamedTuple

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.problems import PROBLEM

__all__ = ["Connection", "Connections", "Edge", "EdgeConfig", "most_here"]

GRACE_S = 1.0
"""A time limit ends this long after it has passed: after a pause of the process, what has been sent is read first."""
SPARE_HANDLES = 48
"""File handles that are not connections: the ledger, its readers, the solver, webhooks."""


class Edge(NamedTuple):
    """Limits of one connection."""

    head_bytes: int = 32 * 1024
    head_s: float = 10.0
    body_s: float = 30.0


class EdgeConfig(uvicorn.Config):
    """Uvicorn's configuration with the limits of connections, and the book of those that are open."""

    def __init__(self, app: Any, *, connections: Connections, edge: Edge | None = None, **options: Any) -> None:
        super().__init__(app, http=Connection, **options)
        self.connections = connections
        self.edge = edge or Edge()


class Connections:
    """The open connections of a server: `most` in all, `most_each` from one address that is no proxy of ours."""

    def __init__(self, most: int, most_each: int, proxies: Iterable[str] = ()) -> None:
        self.most, self.most_each, self.proxies = most, most_each, frozenset(proxies)
        self.refused = 0
        self._open: Counter[str] = Counter()
        self._idle: OrderedDict[Connection, str] = OrderedDict()
        """Those without a request, the one that has been so longest first."""

    def __len__(self) -> int:
        return self._open.total()

    def admit(self, newcomer: Connection) -> bool:
        """Counts a new connection, where need be in place of an idle one; False where there is no room for it."""
        address = newcomer.address
        crowded = address not in self.proxies and self._open[address] >= self.most_each
        if crowded or len(self) >= self.most:
            oldest = next((one for one, whose in self._idle.items() if not crowded or whose == address), None)
            if oldest is None:
                self.refused += 1
                return False
            self.left(oldest)
            oldest.transport.abort()
        newcomer.is_admitted = True
        self._open[address] += 1
        self.rests(newcomer)
        return True

    def rests(self, connection: Connection) -> None:
        """No request is under way on it."""
        if connection.is_admitted:
            self._idle[connection] = connection.address

    def works(self, connection: Connection) -> None:
        """A request is."""
        self._idle.pop(connection, None)

    def left(self, connection: Connection) -> None:
        """It is gone, or goes."""
        self._idle.pop(connection, None)
        if connection.is_admitted:
            connection.is_admitted = False
            self._open[connection.address] -= 1
            if not self._open[connection.address]:
                del self._open[connection.address]


class Connection(HttpToolsProtocol):
    """Uvicorn's HTTP/1.1 with an end to everything that a client could leave open."""

    config: EdgeConfig
    is_admitted = False
    _deadline: asyncio.TimerHandle | None = None
    _awaits_head = True
    _head_bytes = 0
    _read_bytes = 0

    @property
    def address(self) -> str:
        """Where it comes from."""
        return self.client[0] if self.client else ""

    # --- its life ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        if self.config.connections.admit(self):
            self._expect(self.config.edge.head_s)
        else:
            self._end_with(503, "overloaded", "too many connections are open")

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(None)
        self.config.connections.left(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._awaits_head:
            self._read_bytes += len(data)
        super().data_received(data)
        if self._awaits_head and self._read_bytes > self.config.edge.head_bytes and not self.transport.is_closing():
            self._refuse_head()

    # --- what the parser finds ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        self._expect(self.config.edge.head_s)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(name + value)

    def on_headers_complete(self) -> None:
        self._awaits_head = False
        self.config.connections.works(self)
        self._expect(self.config.edge.body_s)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._awaits_head, self._read_bytes = True, 0
        self._expect(None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.pipeline and not self.transport.is_closing():
            self.config.connections.rests(self)

    def _count(self, field: bytes) -> None:
        self._head_bytes += len(field)
        if self._head_bytes > self.config.edge.head_bytes:
            raise ValueError("the head is too large")  # ends the parsing: see send_400_response

    # --- ends --------------------------------------------------------------------------------------------------------

    def send_400_response(self, msg: str) -> None:
        if self._head_bytes > self.config.edge.head_bytes:
            self._refuse_head()
        else:
            self._end_with(400, "bad_request", "this is no HTTP/1.1 request")

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(GRACE_S, super().timeout_keep_alive_handler)

    def _expect(self, within_s: float | None) -> None:
        """Something must have come within this time; None: nothing need."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if within_s is None else self.loop.call_later(within_s, self._is_late)

    def _is_late(self) -> None:
        if self.flow.read_paused:  # it is we who do not read
            self._expect(self.config.edge.body_s)
        else:
            self._deadline = self.loop.call_later(GRACE_S, self._end_late)

    def _end_late(self) -> None:
        if self._awaits_head and not self._read_bytes:
            self.transport.close()
        elif self._awaits_head:
            self._end_with(408, "too_slow", "the head of the request did not come in time")
        else:
            self.transport.abort()  # whoever waits for the body is told that the client has gone

    def _refuse_head(self) -> None:
        most = self.config.edge.head_bytes
        self._end_with(431, "too_large", f"the head of a request has at most {most} bytes", limit_bytes=most)

    def _end_with(self, status: int, code: str, detail: str, **details: Any) -> None:
        title = HTTPStatus(status).phrase
        said = {"type": f"about:blank#{code}", "title": title, "status": status, "code": code, "detail": detail}
        body = json.dumps(said | {"field_errors": []} | details).encode()
        more = "retry-after: 1\r\n" if status == 503 else ""
        head = f"HTTP/1.1 {status} {title}\r\ncontent-type: {PROBLEM}\r\ncontent-length: {len(body)}\r\n{more}"
        self.transport.write(f"{head}connection: close\r\n\r\n".encode() + body)
        self.transport.close()


def most_here(wanted: int) -> int:
    """Connections that may be open at once, as far as this process may have file handles."""
    handles, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if handles == resource.RLIM_INFINITY else max(8, min(wanted, handles - SPARE_HANDLES))
