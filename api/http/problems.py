"""Errors on the wire: RFC 9457 problem bodies, and the only place that knows an HTTP status."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api.http.schemas.mistakes import field_error
from routing.errors import HalfhourError

__all__ = ["PROBLEM", "STATUS", "install", "problem", "problems", "status_of"]

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"

STATUS = {
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "duplicate_delivery": 409,
    "duplicate_order": 409,
    "duplicate_key": 409,
    "invalid_transition": 409,
    "offer_closed": 409,
    "nothing_to_undo": 409,
    "proof_locked": 409,
    "quote_expired": 409,
    "not_on_streets": 409,
    "far_access": 422,
    "invalid_coordinates": 422,
    "invalid_hours": 422,
    "invalid_input": 422,
    "invalid_order": 422,
    "invalid_setting": 422,
    "invalid_area": 422,
    "invalid_speed": 422,
    "invalid_traffic": 422,
    "too_far_from_road": 422,
    "unreadable_file": 422,
    "wrong_frame": 422,
    "key_reused": 422,
    "cursor_gone": 410,
    "needs_changed": 409,
    "no_alternative": 422,
    "costs_a_promise": 409,
    "stale_stock": 409,
    "not_allowed": 422,
    "limit_reached": 422,
    "outside_traffic": 422,
    "proof_required": 422,
    "refused": 422,
    "unsafe_target": 422,
    "unsupported": 422,
    "revision_mismatch": 412,
    "too_large": 413,
    "unsupported_media_type": 415,
    "validation_failed": 422,
    "outside_service_area": 422,
    "unknown_profile": 422,
    "follower_read_only": 421,
    "rate_limited": 429,
    "locked_out": 429,
    "overloaded": 429,
    "no_capacity": 429,
    "internal": 500,
    "corrupt_journal": 500,
    "corrupt_ledger": 500,
    "not_ready": 503,
    "tenure_unsure": 503,
    "ledger_moved": 503,
    "ledger_unavailable": 503,
    "shutting_down": 503,
    "clock_off": 503,
    "storage_slow": 503,
    "storage_full": 507,
}
"""Status by code; other `unknown_*` codes are 404. A code without a row is a mistake of ours."""

_TITLES = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    410: "Gone",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    421: "Misdirected Request",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}
"""The standard phrase of each status (RFC 9110, RFC 6585, RFC 4918): what RFC 9457 wants beside `about:blank`."""


def status_of(error: HalfhourError) -> int:
    """The HTTP status of an error, by its code."""
    return STATUS.get(error.code, 404 if error.code.startswith("unknown_") else 500)


def problem(error: HalfhourError) -> Response:
    """An error as a problem+json response; details `field` and `field_errors` point at what is wrong."""
    details = dict(error.details)
    field = details.pop("field", None)
    details.pop("file", None)  # where our files lie is nobody's business
    errors = details.pop("field_errors", None) or ([{"field": field, "error": error.message}] if field else [])
    return _response(status_of(error), error.code, error.message, error.hint, errors, details)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that may answer with these statuses, and with those that every route may."""
    every = sorted({*statuses, 401, 403, 404, 413, 415, 422, 429, 503, 507})
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": _TITLES[status], "content": {PROBLEM: {"schema": schema}}, "model": None}
        for status in every
    }


def install(app: FastAPI) -> None:
    """Makes every error of `app` leave as a problem body."""

    @app.exception_handler(HalfhourError)
    async def _ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, HalfhourError)
        if status_of(error) == 500:
            log.error("internal error", exc_info=error)
        return problem(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        errors = [field_error(found) for found in error.errors()[:50]]
        text = "; ".join(f"{found['field']}: {found['error']}".removeprefix(": ") for found in errors[:3])
        return _response(422, "validation_failed", text, "", errors, {})

    @app.exception_handler(HTTPException)
    async def _plain(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = 422 if error.status_code == 400 else error.status_code  # a body that is no JSON: as any other mistake
        code = {404: "not_found", 405: "method_not_allowed", 415: "unsupported_media_type"}.get(
            status, "validation_failed" if status < 500 else "internal"
        )
        response = _response(status, code, str(error.detail), "", [], {})
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        return response

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> Response:
        log.error("unforeseen error", exc_info=error)
        return _response(500, "internal", "something went wrong on our side", "", [], {})


def _response(
    status: int, code: str, detail: str, hint: str, errors: list[dict[str, str]], details: dict[str, Any]
) -> Response:
    body: dict[str, Any] = {"type": f"about:blank#{code}", "title": _TITLES.get(status, "Refused"), "status": status}
    body |= {"code": code, "detail": f"{detail}. {hint}" if hint else detail, "field_errors": errors, **details}
    headers = {}
    if status in (429, 503, 507):
        headers["Retry-After"] = str(details.get("retry_after_s", 1))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(json.dumps(body, default=str), status_code=status, media_type=PROBLEM, headers=headers)
