"""Every operation of the document against every kind of caller: who reaches it, and whose things they see.

The table is made from the document, so a new route is tested on its first day.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from api.application import document
from api.common.api_keys import Scope
from tests.kit.service.running import STORE, Running, order, running, with_city

pytestmark = pytest.mark.anyio
DOCUMENT = document()
STREAMS = {"stream", "stream_board"}
"""They never end: whoever is let in stays."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


class Things:
    """Ids of things that belong to the tenant acme, the rider r1 and the operator; and a caller of each kind."""

    def __init__(self, run: Running, callers: dict[str, httpx.AsyncClient], ids: dict[str, str]) -> None:
        self.run, self.callers, self.ids = run, callers, ids


@pytest.fixture(scope="module")
async def things(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Things]:
    async with running(tmp_path_factory.mktemp("ledger")) as run:
        await with_city(run, riders=2, tenants=("acme",))
        await run.ops.put("/v1/stores/s2", json=STORE)
        assert (await run.orders.post("/v1/deliveries", json=order("o1"))).status_code == 201
        await run.orders.post("/v1/deliveries/o1/ready")
        route: Any = await run.until(lambda: _told(run))
        hook = await run.orders.post("/v1/webhooks", json={"url": "https://example.com/h"})
        quote = (await run.orders.post("/v1/quotes", json=order("o2"))).json()
        await run.ops.put(
            "/v1/zones/z1", json={"corners": [{"lat": 1, "lng": 1}, {"lat": 1, "lng": 2}, {"lat": 2, "lng": 1}]}
        )
        rider = route["rider_id"]
        other = "r2" if rider == "r1" else "r1"
        ids = {
            "delivery_id": "o1", "external_delivery_id": "o2", "store_id": "s1", "rider_id": rider, "zone_id": "z1",
            "stop_id": route["stops"][0]["stop_id"], "offer_id": f"{rider}@1.0",
            "webhook_id": hook.json()["webhook_id"],
            "tenant": "acme", "key_id": "nokey", "name": "rules.round_s", "token": "notoken",
            "quote_id": quote["quote_id"], "number": "1",
        }  # fmt: skip
        callers = {name: run.http[name] for name in ("orders", "other", "riders", "kitchens", "ops", "admin", "anyone")}
        for name, path in (
            ("rider", f"riders/{rider}"),
            ("other rider", f"riders/{other}"),
            ("kitchen", "stores/s1"),
            ("other kitchen", "stores/s2"),
        ):
            token = (await run.admin.post(f"/v1/{path}/token")).json()["token"]
            callers[name] = httpx.AsyncClient(
                transport=run.orders._transport,
                base_url="http://halfhour",
                headers={"Authorization": f"Bearer {token}"},
            )
        yield Things(run, callers, ids)
        for name in ("rider", "other rider", "kitchen", "other kitchen"):
            await callers[name].aclose()


async def _told(run: Running) -> Any:
    for rider_id in ("r1", "r2"):
        route = (await run.riders.get(f"/v1/riders/{rider_id}/route")).json()
        if route["stops"]:
            return route
    return None


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for verb, operation in item.items():
            yield verb, path, operation


OPERATIONS = list(_operations())
NAMES = [f"{verb} {path}" for verb, path, _ in OPERATIONS]
each = pytest.mark.parametrize(("verb", "path", "operation"), OPERATIONS, ids=NAMES)


def _roles(operation: dict[str, Any]) -> set[str]:
    return {role for rule in operation.get("security", ()) for role in rule["bearer"]}


async def _ask(things: Things, caller: str, verb: str, path: str, operation: Any) -> httpx.Response:
    """A request with the example's body, about the things of acme and of its rider."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    body = None
    if content is not None:
        body = content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]
        if operation["operationId"] == "accept":
            body = {"quote_id": things.ids["quote_id"]}
        if operation["operationId"] == "put_store":
            body = {**body, "tenants": ["acme"]}
        if operation["operationId"] in ("create", "quote"):
            body = {**body, "external_delivery_id": f"m-{caller.replace(' ', '-')}"}
    return await things.callers[caller].request(verb.upper(), path.format(**things.ids), json=body)


@each
async def test_without_a_key_only_open_doors_open(things: Things, verb: str, path: str, operation: Any) -> None:
    if not _roles(operation):
        answer = await _ask(things, "anyone", verb, path, operation)
        assert answer.status_code in (200, 404) if "{" in path else answer.status_code == 200, answer.text
        return
    answer = await _ask(things, "anyone", verb, path, operation)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


@each
async def test_a_key_without_the_scope_is_refused(things: Things, verb: str, path: str, operation: Any) -> None:
    roles = _roles(operation)
    for caller in ("orders", "riders", "kitchens", "ops", "rider", "kitchen"):
        if roles and caller not in roles:
            answer = await _ask(things, caller, verb, path, operation)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), caller


@each
async def test_what_is_another_tenants_is_not_there(things: Things, verb: str, path: str, operation: Any) -> None:
    foreign = {
        "{delivery_id}": "unknown_delivery",
        "{store_id}": "unknown_store",
        "{webhook_id}": "unknown_webhook",
        "{external_delivery_id}": "",
    }
    named = next((name for name in foreign if name in path), None)
    if named is None or Scope.ORDERS.value not in _roles(operation):
        return
    answer = await _ask(things, "other", verb, path, operation)
    assert answer.status_code == 404, answer.text
    if foreign[named]:
        assert answer.json()["code"] == foreign[named]
    full = path.replace("{delivery_id}", "acme.o1")  # the engine's own name of it opens no door either
    answer = await _ask(things, "other", verb, full, operation)
    assert answer.status_code == 404, answer.text


@each
async def test_a_rider_is_nobody_but_himself(things: Things, verb: str, path: str, operation: Any) -> None:
    if "rider" not in _roles(operation) or "{" not in path:
        return
    answer = await _ask(things, "other rider", verb, path, operation)
    assert answer.status_code == 404, answer.text


@each
async def test_a_kitchen_reaches_its_own_store_alone(things: Things, verb: str, path: str, operation: Any) -> None:
    if "kitchen" not in _roles(operation) or "{" not in path:
        return
    answer = await _ask(things, "other kitchen", verb, path, operation)
    assert answer.status_code == 404, answer.text
    answer = await _ask(things, "other kitchen", verb, path.replace("{delivery_id}", "acme.o1"), operation)
    assert answer.status_code == 404, answer.text


def _ids_of(schema: Any) -> set[str]:
    """Names of fields by which a body names a thing, however deep."""
    if "$ref" in schema:
        return _ids_of(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    found = {name for name in schema.get("properties", {}) if name.endswith("_id") or name in NAMING}
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), schema.get("items", {})]
    return found.union(*(_ids_of(part) for part in inner if part))


NAMING = {"deliveries", "tenants", "tenant"}
"""Fields that name things without ending in _id."""
OF_BODIES: dict[tuple[str, str], str] = {
    ("create", "pickup_store_id"): "unknown_store",
    ("quote", "pickup_store_id"): "unknown_store",
    ("create", "store_id"): "unknown_store",
    ("quote", "store_id"): "unknown_store",
    ("accept", "quote_id"): "unknown_quote",
    ("complete", "deliveries"): "unknown_stop",
    ("fail", "deliveries"): "unknown_stop",
}
"""Ids in bodies that a tenant or a rider may write: what another one is answered who names them."""
FREE_TO_CHOOSE = {
    ("create", "external_delivery_id"), ("quote", "external_delivery_id"),
    # A tenant's own name of a door, which opens none of another's (tests/api/http/test_addresses.py).
    ("create", "address_id"), ("quote", "address_id"), ("change", "address_id"),
    # A tenant's own name of who ordered: riders are kept apart from it by operations alone.
    ("create", "customer_id"), ("quote", "customer_id"), ("change", "customer_id"),
}  # fmt: skip
OPERATORS = {"ops", "admin", "riders"}


def test_every_id_in_a_body_is_tried_by_somebody_whose_it_is_not() -> None:
    found = set()
    for _, _, operation in OPERATIONS:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None and not _roles(operation) <= OPERATORS:
            found |= {(operation["operationId"], name) for name in _ids_of(content["schema"])}
    assert found == set(OF_BODIES) | FREE_TO_CHOOSE


@pytest.mark.parametrize(("name", "field"), OF_BODIES, ids=["-".join(pair) for pair in OF_BODIES])
async def test_a_body_opens_no_door_to_what_is_anothers(things: Things, name: str, field: str) -> None:
    verb, path, operation = next(found for found in OPERATIONS if found[2]["operationId"] == name)
    caller = "other" if "orders" in _roles(operation) else "other rider"
    body = {
        "pickup_store_id": order("m-other"),
        "store_id": order("m-other") | {"sources": [{"store_id": "s1"}]},
        "quote_id": {"quote_id": things.ids["quote_id"]},
        "deliveries": {"deliveries": ["acme.o1"], "reason": "customer absent"} if name == "fail" else {},
    }[field]
    answer = await things.callers[caller].request(verb.upper(), path.format(**things.ids), json=body)
    assert answer.json().get("code") == OF_BODIES[name, field], answer.text


async def test_a_shared_store_serves_every_tenant_and_is_stopped_by_none(things: Things) -> None:
    other = things.callers["other"]
    assert (await other.post("/v1/quotes", json=order("s", pickup_store_id="s2"))).status_code == 200
    for verb, body in (("close", {}), ("open", {}), ("throttle", {"delay_s": 600})):
        answer = await other.post(f"/v1/stores/s2/{verb}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), verb
    assert not (await other.get("/v1/stores/s2")).json()["closed"]


async def test_a_kitchen_sees_goods_and_no_customers(things: Things) -> None:
    for caller, name in (("kitchens", "o1"), ("kitchen", "acme.o1")):
        answer = await things.callers[caller].post(
            f"/v1/deliveries/{name}/ready", headers={"Idempotency-Key": f"ready-{caller}"}
        )
        again = await things.callers[caller].post(
            f"/v1/deliveries/{name}/ready", headers={"Idempotency-Key": f"ready-{caller}"}
        )
        for found in (answer, again):
            assert found.status_code == 200, found.text
            assert "Canary" not in found.text and found.json()["dropoff"] is None and not found.json()["tracking_path"]
    assert (await things.callers["kitchen"].get("/v1/deliveries/o1")).status_code == 403


async def test_lists_show_only_what_is_the_callers(things: Things) -> None:
    for path, key in (("/v1/deliveries", "deliveries"), ("/v1/webhooks", "webhooks"), ("/v1/events", "events")):
        assert (await things.callers["other"].get(path)).json()[key] == [], path
        assert (await things.callers["orders"].get(path)).json()[key] != [], path
    seen = (await things.callers["other rider"].get("/v1/events")).json()["events"]
    assert all(event["data"]["rider_id"] != things.ids["rider_id"] for event in seen)


async def test_what_a_store_has_open_is_counted_for_the_caller_alone(things: Things) -> None:
    made = await things.callers["other"].post("/v1/deliveries", json=order("own", pickup_store_id="s2"))
    assert made.status_code == 201, made.text

    async def counted(caller: str) -> tuple[int, int]:
        shown = (await things.callers[caller].get("/v1/stores/s2")).json()["open_deliveries"]
        return shown, (await things.callers[caller].get("/v1/status")).json()["open_orders"]

    own, everybodys = (await counted("orders")), (await counted("ops"))
    assert (await counted("other")) == (1, 1)
    assert own[0] == 0 and everybodys[0] == 1 and everybodys[1] > own[1] >= 1
    assert (await things.callers["other"].get("/v1/status")).json()["journal_seq"] is None


ENDING = {"delete_webhook", "revoke_key", "erase_delivery", "cancel", "end_tokens"}
"""Operations after which others would find nothing, or nobody would be let in."""


async def test_those_who_may_are_let_in(things: Things) -> None:
    """The other half of the table: a role that the document names is never turned away at the door."""
    refused = []
    for verb, path, operation in OPERATIONS:
        if operation["operationId"] in STREAMS | ENDING:
            continue
        for caller in sorted(_roles(operation) & {"orders", "riders", "kitchens", "ops", "admin", "rider", "kitchen"}):
            answer = await _ask(things, caller, verb, path, operation)
            if answer.status_code in (401, 403) or answer.status_code >= 500:
                refused.append((caller, verb, path, answer.status_code))
    assert refused == []
