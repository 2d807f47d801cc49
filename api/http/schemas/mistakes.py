"""What is wrong with a body, in words: a person reads it, not somebody who knows patterns and parsers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.http.schemas.values import RULES

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "nobody knows this field",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "model_attributes_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "timezone_aware": "must say its offset: 2030-01-31T12:00:00Z",
    "datetime_parsing": "is no instant like 2030-01-31T12:00:00Z",
    "datetime_from_date_parsing": "is no instant like 2030-01-31T12:00:00Z",
}


def field_error(found: Mapping[str, Any]) -> dict[str, str]:
    """One error of a body, a query or a header: the field it is about, and what is wrong with it.

    What was sent is not repeated: it would carry personal data into answers and logs.
    """
    kind = str(found.get("type", ""))
    where = [] if kind == "json_invalid" else found.get("loc", ())
    path = ".".join(str(part) for part in where if part not in ("body", "query", "path", "header"))
    return {"field": path, "error": _words(kind, found)}


def _words(kind: str, found: Mapping[str, Any]) -> str:
    context: Mapping[str, Any] = found.get("ctx") or {}
    if kind == "json_invalid":
        at = next((part for part in found.get("loc", ()) if isinstance(part, int)), 0)
        return f"the body is no JSON: {context.get('error', 'it cannot be read')} (at character {at})"
    if kind == "string_pattern_mismatch":
        return RULES.get(str(context.get("pattern", "")), "has characters or a form that are not allowed")
    if kind in ("string_too_long", "too_long"):
        return f"has more than {context.get('max_length')} {_parts(found)}"
    if kind in ("string_too_short", "too_short"):
        return f"has fewer than {context.get('min_length')} {_parts(found)}"
    said = _WORDS.get(kind) or str(found.get("msg", "invalid"))
    return said.removeprefix("Value error, ")


def _parts(found: Mapping[str, Any]) -> str:
    return "characters" if isinstance(found.get("input"), str) else "entries"
