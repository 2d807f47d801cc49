"""What HTTP expects of every answer: safe headers, HEAD beside GET, and a path behind a proxy.

Links by which customers follow their delivery are read by pages of other origins, so CORS opens that one route.
"""

from __future__ import annotations

from typing import Any

from api.common.asgi import App, Message, Receive, Scope, Send

__all__ = ["Manners"]

_TRACKING = "/v1/track/"
_OPEN = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Retry-After"),
)
_PREFLIGHT = (
    (b"allow", b"GET, HEAD, OPTIONS"),
    (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
    (b"access-control-max-age", b"86400"),
)


class Manners:
    """Dresses every answer; `base` is a path that a proxy leaves in front of ours."""

    def __init__(self, app: App, *, base: str = "") -> None:
        self._app, self._base = app, base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        _strip(scope, self._base)
        path, method = scope["path"], scope["method"]
        always = _always(path)

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                named = {name for name, _ in headers}
                headers += [(name, value) for name, value in always if name not in named]
                message = {**message, "headers": headers}
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        if method == "OPTIONS" and path.startswith(_TRACKING):
            await dressed({"type": "http.response.start", "status": 204, "headers": list(_PREFLIGHT)})
            await dressed({"type": "http.response.body"})
        elif method == "HEAD" and not path.endswith("/stream"):  # a stream never ends: nothing to tell of it beforehand
            await self._as_get(scope, receive, dressed)
        else:
            await self._app(scope, receive, dressed)

    async def _as_get(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})
        asked: dict[str, Any] = {**scope, "method": "GET"}
        try:
            await self._app(asked, receive, send)
        finally:
            if "route" in asked:  # for the meter, which stands outside
                scope["route"] = asked["route"]


def _strip(scope: Scope, base: str) -> None:
    """Takes `base` off the front of the path, for proxies that leave it there."""
    if base and scope["path"].startswith(f"{base}/"):
        scope["path"] = scope["path"].removeprefix(base)
        if scope.get("raw_path"):
            scope["raw_path"] = scope["raw_path"].removeprefix(base.encode())


def _always(path: str) -> list[tuple[bytes, bytes]]:
    """Headers of every answer under `path` that says nothing else: what is personal is neither guessed at nor kept."""
    headers = [(b"x-content-type-options", b"nosniff")]
    if path.startswith("/v1/"):
        headers.append((b"cache-control", b"no-store"))
    if path.startswith(_TRACKING):
        headers += _OPEN
    return headers
