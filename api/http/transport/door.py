"""The way into every route: who asks comes first, then whether the body is JSON, and only then what it says."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from email.message import Message
from functools import lru_cache
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from api.access.rules import rules_of
from routing.errors import HalfhourError

__all__ = ["Door", "UnsupportedMediaType"]


class UnsupportedMediaType(HalfhourError):
    """A body that is not JSON in UTF-8, or does not say so."""

    code = "unsupported_media_type"


class Door(APIRoute):
    """A route that asks its access rule before it parses the body: a stranger's megabyte costs nothing."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI behind the rule and the look at the body's kind."""
        handle = super().get_route_handler()
        rules, takes_body = list(rules_of(self.dependant)), self.body_field is not None

        async def guarded(request: Request) -> Response:
            for rule in rules:
                await rule(request)
            if takes_body:
                await _require_json(request)
            return await handle(request)

        return guarded


async def _require_json(request: Request) -> None:
    """Raises UnsupportedMediaType where there is a body and it is anything but JSON in UTF-8."""
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise UnsupportedMediaType("send the body as it is, without Content-Encoding", field="Content-Encoding")
    is_json, charset = _content_type(headers.get("content-type", ""))
    if not is_json:
        raise UnsupportedMediaType("send JSON, and say so: Content-Type: application/json", field="Content-Type")
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType("JSON is sent in UTF-8", field="Content-Type")
    try:
        (await request.body()).decode()
    except UnicodeDecodeError as wrong:
        raise UnsupportedMediaType(f"the body is not UTF-8 from its byte {wrong.start} on", field="body") from None


@lru_cache(maxsize=64)
def _content_type(value: str) -> tuple[bool, str]:
    """Whether a Content-Type says JSON, and its charset; callers send few different ones, again and again."""
    kind = Message()
    kind["content-type"] = value
    subtype = kind.get_content_subtype()
    is_json = kind.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))
    return is_json, str(kind.get_param("charset", "utf-8")).lower()
