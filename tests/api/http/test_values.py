"""Values as they come in: what is taken as it was meant, and what is refused in words."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from api.http.problems import status_of
from api.http.schemas.values import RULES
from dispatch.errors import ClockWentBack, Refused
from routing.errors import HalfhourError, InvalidInput
from tests.kit.service.running import DROP, order, running, with_city

BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"external_delivery_id": "#A7"}, "external_delivery_id", "must be 1 to 64 letters, digits, _ - . : ~"),
    ({"external_delivery_id": "a/b"}, "external_delivery_id", "must be 1 to 64 letters"),
    ({"dropoff": DROP | {"address": "Lane 7\u202e21"}}, "dropoff.address", "turn the direction"),
    ({"dropoff": DROP | {"address": "x" * 301}}, "dropoff.address", "has more than 300 characters"),
    ({"dropoff": DROP | {"phone_number": "0151"}}, "dropoff.phone_number", "must be a number with its country"),
    ({"pickup_ready_at": "1900000000"}, "pickup_ready_at", "a text like 2030-01-31T12:00:00Z"),
    ({"pickup_ready_at": "2030-01-01T00:00:00"}, "pickup_ready_at", "must say its offset"),
    ({"items": [{"name": "x"}] * 101}, "items", "has more than 100 entries"),
    ({"currency": "euro"}, "currency", "must be three capital letters"),
    ({"load_units": "2"}, "load_units", "must be a whole number"),
    ({"colour": "red"}, "colour", "nobody knows this field"),
]


def test_a_mistake_is_said_in_words_at_its_field(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            for fields, field, words in BAD:
                answer = await run.orders.post("/v1/deliveries", json=order("o1") | fields)
                (error,) = answer.json()["field_errors"]
                assert (answer.status_code, error["field"]) == (422, field), answer.text
                assert words in error["error"] and "pattern" not in error["error"] and "^" not in error["error"]
            headers = {"content-type": "application/json"}
            cut = await run.orders.post("/v1/deliveries", content='{"external_delivery_id": "o1",', headers=headers)
            (error,) = cut.json()["field_errors"]
            assert cut.status_code == 422 and error["field"] == "" and "the body is no JSON" in error["error"]

    asyncio.run(go())


def test_lines_end_alike_wherever_a_text_was_written(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            for name, text in (("o1", "ring twice\r\nsecond floor"), ("o2", "ring twice\rsecond floor")):
                body = order(name) | {"dropoff": DROP | {"instructions": text}}
                made = await run.orders.post("/v1/deliveries", json=body)
                assert made.json()["dropoff"]["instructions"] == "ring twice\nsecond floor"

    asyncio.run(go())


def test_a_new_rider_and_a_new_store_have_their_names_at_once(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            store = await run.ops.put("/v1/stores/s1", json={"location": DROP["location"], "name": "Kitchen"})
            rider = await run.riders.put("/v1/riders/r1", json={"location": DROP["location"], "name": "Ada"})
            assert (store.json()["name"], rider.json()["name"]) == ("Kitchen", "Ada")

    asyncio.run(go())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (HalfhourError("new", code="a_code_without_a_row"), 500),
        (InvalidInput("new", code="a_code_without_a_row"), 500),
        (ClockWentBack("earlier"), 500),
        (Refused("no", code="invalid_order"), 422),
        (Refused("no", code="unknown_order"), 404),
    ],
)
def test_an_error_without_a_row_is_ours(error: HalfhourError, status: int) -> None:
    assert status_of(error) == status


def test_every_pattern_of_a_body_has_its_words() -> None:
    from api.application import document

    def patterns(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["pattern"]} if isinstance(value.get("pattern"), str) else set()
            return own.union(*map(patterns, value.values()))
        return set().union(*map(patterns, value)) if isinstance(value, list) else set()

    assert patterns(document()["components"]["schemas"]) - set(RULES) == set()
