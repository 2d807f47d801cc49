"""An example for every operation of the OpenAPI document, made from its schemas.

A field's example is the one it names itself, else the one that its name has in the table below, else the plainest
value of its type.  So every example fits its schema, and a new field has one from its first day.
"""

from __future__ import annotations

from typing import Any

__all__ = ["add_examples", "example_of"]

Json = dict[str, Any]

_INSTANT = "2030-01-31T12:00:00Z"
_BY_NAME: Json = {
    "delivery_id": "demo.o-1017",
    "external_delivery_id": "o-1017",
    "rider_id": "r-7",
    "store_id": "store-1",
    "pickup_store_id": "store-1",
    "zone_id": "old-town",
    "stop_id": "r-7.3",
    "offer_id": "r-7@1896091200.0",
    "webhook_id": "wh_9f86d081884c7d659a2feaa0c55ad015",
    "decision_id": "d-42",
    "key_id": "3fKq0aZ81x",
    "tenant": "demo",
    "quote_id": "eJyrVkrLz1eyUkpKLFKqBQA.R0aR1yE",
    "token": "hhr_WyJkZW1vIiwici03Il0=.dGhlIHNpZ25hdHVyZQ",
    "name": "Kitchen 1",
    "status": "created",
    "address": "Marienplatz 1",
    "contact_name": "A. Customer",
    "phone_number": "+4915112345678",
    "instructions": "second bell",
    "reason": "customer called",
    "url": "https://example.com/halfhour",
    "currency": "EUR",
    "lat": 48.139,
    "lng": 11.576,
    "revision": 12,
    "version": "9f86d081",
    "next": "9f86d081-1042-2c26b46b",
    "after": "1041",
    "tracking_path": "/v1/track/eJyrVkrLz1ey.R0aR1yE",
    "profile": "bike",
    "explanation": "Rider r-7 has it; the next best rider would have cost 1200 points more.",
    "leg_s": 240,
    "delay_s": 300,
    "value": "15",
    "kind": "delivery.delivered",
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "pin": "4711",
    "label": "shop",
    "kinds": "delivery.delivered",
    "deliveries": "demo.o-1017",
    "scopes": "orders",
    "provides": "cool_box",
    "needs": "cool_box",
    "engagement": "employed",
    "doing": "working",
    "ladder": "search",
    "state": "confirmed",
    "store": "store-1",
    "rider": "r-7",
    "capacity_units": 4,
    "taken": 1,
    "left_out": 0,
    "at": _INSTANT,
}
_EVENT = {
    "id": "evt_2c26b46b68ffc68ff99b453c1d304134",
    "cursor": "9f86d081-1042-2c26b46b",
    "kind": "delivery.confirmed",
    "subject": "demo.o-1017",
    "sequence": 2,
    "created_at": _INSTANT,
    "data": {"delivery_id": "demo.o-1017", "external_delivery_id": "o-1017", "status": "confirmed", "rider_id": "r-7"},
}
_SETTING = {"value": 10, "default": 10, "live": True, "about": "At most this many seconds between two rounds."}
_BY_OPERATION: Json = {
    "healthz": {"alive": True},
    "readyz": {"ready": True, "warnings": [], "fallbacks_in_a_row": 0, "clock_off_s": 0.0, "commit_age_s": 0.01},
    "list_settings": {"rules.round_s": _SETTING},
    "get_streets": {
        "lines": [[[48.139, 11.576], [48.14, 11.578]]],
        "attribution": "© OpenStreetMap contributors, ODbL 1.0, https://www.openstreetmap.org/copyright",
    },
}
_BY_SCHEMA: Json = {"Events": {"events": [_EVENT], "next": "9f86d081-1042-2c26b46b"}}


def add_examples(document: Json) -> Json:
    """Gives every JSON body and every JSON answer of a document an example, in place; the document."""
    for item in document["paths"].values():
        for operation in item.values():
            _add(operation.get("requestBody", {}), document, None, answers=False)
            for status, answer in operation.get("responses", {}).items():
                if status.startswith("2"):
                    known = _BY_OPERATION.get(operation["operationId"])
                    _add(answer, document, known, answers=True)
    return document


def _add(holder: Json, document: Json, known: Any, *, answers: bool) -> None:
    content = holder.get("content", {}).get("application/json")
    if content is not None and "example" not in content and "examples" not in content:
        content["example"] = known or example_of(content.get("schema", {}), document, answers=answers)


def example_of(schema: Json, document: Json, name: str = "", *, answers: bool = False) -> Any:
    """A value that fits `schema`; `name` is the field's, where it is one.  `answers`: show what has a default too."""
    if "$ref" in schema:
        target = schema["$ref"].rsplit("/", 1)[1]
        known = document["components"]["schemas"][target]
        return _BY_SCHEMA.get(target) or example_of(known, document, name, answers=answers)
    if schema.get("examples"):
        return schema["examples"][0]
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        return example_of(choices[0], document, name, answers=answers)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("type") == "object":
        return _object(schema, document, answers)
    if schema.get("type") == "array":
        return [example_of(schema.get("items", {}), document, name, answers=answers)] * max(
            1, schema.get("minItems", 1)
        )
    return _plain(schema, name)


def _object(schema: Json, document: Json, answers: bool) -> Json:
    fields = schema.get("properties", {})
    more = schema.get("additionalProperties")
    if not fields and isinstance(more, dict):
        return {"lat": 48.139, "lng": 11.576} if more.get("type") == "number" else {}
    required = schema.get("required", ())
    return {
        name: example_of(field, document, name, answers=answers)
        for name, field in fields.items()
        if name in required
        or (field["default"] not in (None, [], {}) if answers and "default" in field else name in _BY_NAME)
    }


def _plain(schema: Json, name: str) -> Any:
    kind = schema.get("type", "")
    if schema.get("format") == "date-time":
        return _INSTANT
    if isinstance(_BY_NAME.get(name), {"string": str, "integer": int, "number": float}.get(kind, ())):
        return _BY_NAME[name]
    if kind == "boolean":
        return schema.get("default", False)
    if kind in ("integer", "number"):
        return schema.get("default", schema.get("minimum", 0))
    return schema.get("default", "text" if kind == "string" else None)
