"""One line and one measurement for each request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from api.common.asgi import App, Message, Receive, Scope, Send
from api.observe.metrics import Metrics
from api.observe.watchdog import out_of_memory

if TYPE_CHECKING:
    pass


_access = logging.getLogger("api.access")


class RequestMeter:
    """Times every answer by route template and writes one line for it; who asked is named by tenant and key id."""

    def __init__(self, app: App, *, metrics: Metrics, clock: Callable[[], float] = time.perf_counter) -> None:
        self._app, self._metrics, self._clock = app, metrics, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, streams = self._clock(), 500, False

        async def noting(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                streams = any(value.startswith(b"text/event-stream") for _, value in message.get("headers", ()))
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except MemoryError:
            out_of_memory()
        finally:
            lasted_s = self._clock() - began
            route = getattr(scope.get("route"), "path", "unmatched")
            if not streams:  # how long somebody watched is no answer time
                self._metrics.requests.labels(scope["method"], route, str(status)).observe(lasted_s)
            caller = scope.get("state", {}).get("caller")
            fields = {"method": scope["method"], "route": route, "status": status, "ms": round(lasted_s * 1000, 1)}
            if caller is not None:
                who = caller.key_id if caller.rider_id is None else "a rider"
                fields |= {"tenant": caller.tenant, "key_id": who}
            _access.info("answered", extra=fields)
