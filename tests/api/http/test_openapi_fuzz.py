"""The service against its own document: no server error, no undocumented answer, no invalid body accepted."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from api.application import document
from api.solver.warm_up import warm_up_rounds
from tests.kit.service.running import order, running, with_city
from tests.kit.service.serving import serving

SCHEMAS = document()["components"]["schemas"]
POSITION = Draft202012Validator(SCHEMAS["PositionOf"] | {"components": {"schemas": SCHEMAS}})
POSITIONS = SCHEMAS["PositionBatch"]["properties"]["positions"]
AROUND_THEM = Draft202012Validator(SCHEMAS["PositionBatch"] | {"properties": {"positions": POSITIONS | {"items": {}}}})


def what_is_wrong_is_refused_or_left_out(ctx: Any, response: Any, case: schemathesis.Case) -> bool | None:
    """Of a batch of positions each that is wrong is left out aloud and costs itself alone; all else is refused."""
    if case.operation.label == "POST /v1/positions" and response.status_code == 200:
        sent = json.loads(response.request.body)
        left_out = {said["index"] for said in response.json()["why"] if said["why"].startswith("unreadable")}
        if left_out:
            AROUND_THEM.validate(sent)
            taken = [position for k, position in enumerate(sent["positions"]) if k not in left_out]
            assert all(map(POSITION.is_valid, taken)), "a position was taken against the document"
            return None
    return negative_data_rejection(ctx, response, case)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    what_is_wrong_is_refused_or_left_out,
]
PATIENCE_S = 300
"""A service that shares its machine with compilers answers late, and that is judged elsewhere."""
_CALM = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None}


class _Service:
    """A service with a little city, on a thread of its own: what is fuzzed must not share the fuzzer's loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._live()), daemon=True)
        self.url = self.key = ""

    def start(self) -> None:
        warm_up_rounds()  # rounds are solved on its own loop, which must not stand still while they are compiled
        self._thread.start()
        assert self._ready.wait(600)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        self._loop.close()

    async def _live(self) -> None:
        async with running(self._folder) as run, serving(run.app) as url:
            await with_city(run, riders=2)
            await run.orders.post("/v1/deliveries", json=order("o-1017"))
            self.url, self.key = url, run.keys["admin"]
            self._ready.set()
            await self._stop.wait()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Service]:
    found = _Service(tmp_path_factory.mktemp("ledger"))
    found.start()
    yield found
    found.close()


# Streams never end, and are left out; long waits are cut short.
schema = schemathesis.openapi.from_dict(document()).exclude(path_regex="stream$")
# Too much to be read is a refusal too.
_refused = schema.config.checks.negative_data_rejection
_refused.expected_statuses = [*_refused.expected_statuses, "413"]


@schema.hook
def map_query(context: Any, query: Any) -> Any:
    """No case waits for news that nobody makes."""
    if query and isinstance(query.get("wait_s"), int | float):
        query["wait_s"] = min(query["wait_s"], 0.01)
    return query


@schema.hook
def filter_query(context: Any, query: Any) -> bool:
    """Parameters that no address can carry (empty lists) would be judged though nobody was asked about them."""
    return not any(value is None or value in ([], {}) for value in (query or {}).values())


@schema.parametrize()
@settings(max_examples=8, **_CALM)
def test_the_service_keeps_to_its_document(case: schemathesis.Case, service: _Service) -> None:
    _ask(case, service)


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=400, **_CALM)
def test_the_service_keeps_to_its_document_at_length(case: schemathesis.Case, service: _Service) -> None:
    _ask(case, service)


def _ask(case: schemathesis.Case, service: _Service) -> None:
    headers = {"Authorization": f"Bearer {service.key}"}
    case.call_and_validate(base_url=service.url, headers=headers, checks=CHECKS, timeout=PATIENCE_S)
