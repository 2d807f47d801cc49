"""The OpenAPI document: of a running service, and by itself for whoever writes a client."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.http.openapi_examples import add_examples
from api.http.schemas.base import ProblemBody

__all__ = ["openapi"]

ABOUT = """Dispatch for 30-minute delivery: hand over orders, get back a promise, a rider and a stream of facts.

Every request carries `Authorization: Bearer <key>`. Errors are problem bodies (RFC 9457) with a stable `code` and
`field_errors`. Every POST takes an `Idempotency-Key`: the same key and body again answer what was answered first.
Times are RFC 3339, coordinates WGS84 degrees, money minor units."""


def openapi(app: FastAPI) -> dict[str, Any]:
    """The document of an app, made once: with the problem body that every error has, and an example everywhere."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title, version=app.version, summary=app.summary, description=ABOUT, routes=app.routes,
            servers=app.servers or None,
        )  # fmt: skip
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = ProblemBody.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        app.openapi_schema = add_examples(found)
    return app.openapi_schema
