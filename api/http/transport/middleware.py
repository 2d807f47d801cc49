"""Between the socket and the routes: bodies are bounded before anyone reads them, answers say what is left."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from api.access.rate_limits import Quota
from api.common.asgi import App, Message, Receive, Scope, Send
from api.common.errors import TooLarge
from routing.errors import HalfhourError


class BodyLimit:
    """Refuses bodies beyond the limit of their path before the app sees a byte of them."""

    def __init__(
        self,
        app: App,
        *,
        refuse: Callable[[HalfhourError], App],
        usual_bytes: int = 16 * 1024,
        by_path: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._usual = usual_bytes
        self._by_path = dict(by_path or {"/v1/positions": 128 * 1024, "/v1/traffic": 1024 * 1024})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._by_path.get(scope["path"], self._usual)
        said = _content_length(scope)
        if said is None and not _is_chunked(scope):
            await self._app(scope, receive, send)
        elif said is not None and 0 <= said <= limit:
            await self._app(scope, receive, send)  # the server holds the client to the length it named
        elif said is not None or (messages := await _gathered(receive, limit)) is None:
            error = TooLarge(f"a body here has at most {limit} bytes", limit_bytes=limit)
            await self._refuse(error)(scope, receive, send)
        else:
            await self._app(scope, _replayed(messages, receive), send)


class QuotaHeaders:
    """Adds RateLimit-Limit, -Remaining and -Reset where an access rule has left a Quota in the request's state."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def with_quota(message: Message) -> None:
            quota: Quota | None = state.get("quota")
            if message["type"] == "http.response.start" and quota is not None:
                headers = list(message.get("headers", ()))
                for name, value in zip(("limit", "remaining", "reset"), quota, strict=True):
                    headers.append((f"ratelimit-{name}".encode(), str(value).encode()))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, with_quota)


def _content_length(scope: Scope) -> int | None:
    """The length a request names; -1 where it names nonsense, None where it names none."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 19 else -1
    return None


def _is_chunked(scope: Scope) -> bool:
    return any(name == b"transfer-encoding" for name, _ in scope["headers"])


async def _gathered(receive: Receive, limit: int) -> list[Message] | None:
    """The messages of a body without a named length, or None once it passes `limit`."""
    messages: list[Message] = []
    size = 0
    while True:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if size > limit:
            return None
        if message["type"] != "http.request" or not message.get("more_body", False):
            return messages


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    waiting = deque(messages)

    async def next_message() -> Message:
        return waiting.popleft() if waiting else await receive()

    return next_message
