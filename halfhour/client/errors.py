"""What the service refuses, and what never reached it, as exceptions.

HalfhourError
+-- ApiError                  status, code, field_errors
|   +-- NotAllowed            401, 403
|   +-- NotThere              404
|   +-- Conflict              409, 412
|   +-- CursorGone            410
|   +-- Invalid               413, 415, 422
|   +-- Busy                  429, 502, 503, 504, 507, still after all tries
+-- Unreachable               no answer, still after all tries
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx

from api.common.retry_after import wait_s
from routing.errors import HalfhourError

__all__ = ["ApiError", "Busy", "Conflict", "CursorGone", "Invalid", "NotAllowed", "NotThere", "Unreachable", "error_of"]


class ApiError(HalfhourError):
    """The service has refused: `status`, `code`, and `field_errors` [{field, error}]."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body.get("detail", "refused")), code=str(body.get("code", "internal")))
        self.status = status
        self.field_errors: list[dict[str, str]] = list(body.get("field_errors", ()))
        self.retry_after_s = float(body.get("retry_after_s", 0))


class NotAllowed(ApiError):
    """401 or 403: the key is not known, has ended, or does not reach here."""


class NotThere(ApiError):
    """404: there is no such thing, or it is not yours."""


class Conflict(ApiError):
    """409 or 412: the state of things does not allow it, or it has changed meanwhile."""


class CursorGone(ApiError):
    """410: what comes behind the cursor cannot be told any more; `next` goes on from now."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status, body)
        self.next = str(body.get("next", "0"))


class Invalid(ApiError):
    """413, 415 or 422: what was sent is not acceptable; `field_errors` say where."""


class Busy(ApiError):
    """429, 503 or 507, still after all tries."""


class Unreachable(HalfhourError):
    """No answer, still after all tries; a write may or may not have happened, and may be repeated."""

    code = "unreachable"


def error_of(answer: httpx.Response) -> ApiError:
    """The error that an answer without 2xx stands for."""
    try:
        body = answer.json()
    except ValueError:
        body = {"detail": f"status {answer.status_code} without a problem body"}
    if not isinstance(body, dict):
        body = {"detail": "an answer that is no problem body"}
    asked_s = wait_s(answer.headers.get("retry-after", ""), time.time())
    if asked_s:
        body.setdefault("retry_after_s", asked_s)
    kinds = {401: NotAllowed, 403: NotAllowed, 404: NotThere, 409: Conflict, 410: CursorGone, 412: Conflict}
    kinds |= dict.fromkeys((413, 415, 422), Invalid) | dict.fromkeys((429, 502, 503, 504, 507), Busy)
    return kinds.get(answer.status_code, ApiError)(answer.status_code, body)
