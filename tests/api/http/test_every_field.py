"""Every field of every operation with the edges of its type: nobody's value stops another tenant's order.

The fields come from the service's own document, so that a new one is tried without a word.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.application import document
from tests.kit.service.running import DROP, RIDER, STORE, Running, order, planned, running, with_city

INSTANTS = (
    "2001-01-01T00:00:00Z", "2038-01-19T03:14:08Z", "2099-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "NaN", "", 2**63,
)  # fmt: skip
NUMBERS = (-1, 0, 2**31 - 1, 2**31, 2**63, -(2**63), 1e308, "NaN")
TEXTS = ("", "NaN", "x" * 20_000, "a\u202eb", "a\x00b", "ä" * 100)
OTHERS: tuple[Any, ...] = (None, [], {}, "NaN")
SKIPPED = ("/v1/settings", "/v1/preset", "/v1/webhooks", "/v1/keys", "/v1/tenants", "/v1/traffic", "/v1/shadow")
"""Operations of administrators: what they set is theirs to set."""
IDS = {"delivery_id": "o1", "external_delivery_id": "o1", "store_id": "s2", "rider_id": "r2", "zone_id": "z1"}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/stores/{store_id}": STORE,
    "/v1/riders/{rider_id}": RIDER,
    "/v1/overrides": {"action": "hold", "delivery_id": "acme.o1", "reason": "a test"},
    "/v1/deliveries/{delivery_id}/ready_estimate": {},
}
ELEMENTS: dict[str, dict[str, Any]] = {
    "sources": {"store_id": "s1"},
    "ends": {"type": "door"},
    "items": {"name": "milk"},
    "positions": {"rider_id": "r1"} | RIDER,
}
"""What an element of a list is like but for the field that is tried."""
OF_NAMES = ("counts", "pins")
EACH = "[]"
"""In a path: the only element of a list, or the only value of an object whose names are free."""


def fields(schema: Any, doc: Any, depth: int = 0) -> Iterator[tuple[tuple[str, ...], tuple[Any, ...]]]:
    """Path and edge values of each field of a body's schema."""
    if "$ref" in schema:
        schema = doc["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for one in schema.get("anyOf", ()):
        yield from fields(one, doc, depth)
    inside = dict(schema.get("properties", {}))
    for part in (
        schema.get("items"),
        schema.get("additionalProperties"),
        *schema.get("patternProperties", {}).values(),
    ):
        if isinstance(part, dict):
            inside[EACH] = part
    for name, part in inside.items():
        kinds = [part, *part.get("anyOf", ())]
        edges = tuple(dict.fromkeys(itertools.chain.from_iterable(map(_edges, kinds)), None)) + OTHERS
        yield (name,), edges
        if depth < 3:
            yield from (((name, *path), inner) for path, inner in fields(part, doc, depth + 1))


def _edges(schema: dict[str, Any]) -> tuple[Any, ...]:
    if schema.get("format") == "date-time":
        return INSTANTS
    return {"integer": NUMBERS, "number": NUMBERS, "string": TEXTS}.get(schema.get("type", ""), ())


def writes() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and body of every try: each field alone, and instants in pairs."""
    doc = document()
    for path, operations in doc["paths"].items():
        if path.startswith(SKIPPED) or "stream" in path:
            continue
        for method in ("post", "put", "patch"):
            content = operations.get(method, {}).get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            if schema is None:
                continue
            found = list(fields(schema, doc))
            for where, edges in found:
                for edge in edges:
                    yield method, path, _with({}, where, edge)
            instants = [where for where, edges in found if INSTANTS[0] in edges]
            for one, two in itertools.combinations(instants, 2):
                for edge, other in itertools.product(INSTANTS[1:4], repeat=2):
                    yield method, path, _with(_with({}, one, edge), two, other)


def _with(body: dict[str, Any], where: tuple[str, ...], value: Any) -> dict[str, Any]:
    head, *rest = where
    if rest and rest[0] == EACH:
        if head in OF_NAMES:
            return body | {head: {"milk": value}}
        return body | {head: [_with(ELEMENTS.get(head, {}), tuple(rest[1:]), value) if rest[1:] else value]}
    inner = body.get(head)
    return body | {head: _with(inner if isinstance(inner, dict) else {}, tuple(rest), value) if rest else value}


def _merged(usual: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    both = {
        name: _merged(usual[name], value)
        for name, value in change.items()
        if isinstance(value, dict) and value and isinstance(usual.get(name), dict)
    }
    return usual | change | both


async def try_all(run: Running, stride: int, every: int) -> int:
    await with_city(run, riders=2)
    assert (await run.ops.put("/v1/stores/s2", json=STORE)).status_code == 200
    assert (await run.orders.post("/v1/deliveries", json=order("o1"))).status_code == 201
    tried = 0
    for number, (method, path, change) in enumerate(itertools.islice(writes(), 0, None, stride)):
        usual = order(f"n{number}") if path in ("/v1/deliveries", "/v1/quotes") else BODIES.get(path, {})
        url = path.format(
            **(IDS | {"stop_id": "r2.1", "offer_id": "r2@1.0", "token": "x", "webhook_id": "x", "number": "1"})
        )
        key = run.orders if "/deliveries" in path or "quotes" in path else run.admin
        answer = await key.request(method.upper(), url, json=_merged(usual, change))
        assert answer.status_code not in (500, 503), (method, url, change, answer.text)
        tried += 1
        if tried % every == 0:
            await _still_delivered(run, f"w{number}", f"{method} {url} {str(change)[:200]}")
        if path == "/v1/deliveries" and answer.status_code == 201:  # what was taken in must not fill two riders' day
            made = answer.json()["external_delivery_id"]
            assert (await key.post(f"/v1/deliveries/{made}/cancel")).status_code == 200, change
    await _still_delivered(run, "last", "all of them")
    return tried


async def _still_delivered(run: Running, name: str, after: str) -> None:
    """Another tenant's order finds its rider."""
    for rider_id in ("r1", "r2"):  # nobody has fallen silent meanwhile
        assert (await run.riders.post(f"/v1/riders/{rider_id}/position", json=RIDER)).status_code == 200
    made = await run.other.post("/v1/deliveries", json=order(name, dropoff=DROP))
    assert made.status_code == 201, made.text
    try:
        assert await planned(run, f"bee.{name}")
    except AssertionError as problem:
        record = run.host.board.orders[f"bee.{name}"]
        raise AssertionError(f"after {after}: {record.reason}, {run.host.board.riders}") from problem
    assert (await run.other.post(f"/v1/deliveries/{name}/cancel")).status_code == 200
    everybody = (*run.host.board.open_orders.values(), *run.host.board.riders.values())
    assert not any(record.parked for record in everybody), "no round failed"


def test_what_lies_in_lists_and_under_free_names_is_tried_too() -> None:
    tried = [change for _, _, change in writes()]
    for found in (
        {"sources": [{"store_id": "s1", "prepare_s": 2**31}]}, {"ends": [{"type": "door", "price": 2**63}]},
        {"items": [{"name": "milk", "quantity": -1}]}, {"counts": {"milk": 2**63}},
    ):  # fmt: skip
        assert found in tried


def test_a_sample_of_all_fields_stops_nobody(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            assert await try_all(run, stride=29, every=10) > 40

    asyncio.run(go())


@pytest.mark.slow
def test_every_edge_of_every_field_stops_nobody(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            assert await try_all(run, stride=1, every=1) > 1000

    asyncio.run(go())
