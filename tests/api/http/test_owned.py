"""A host that may have lost its market answers nothing from its board; how its process is may still be asked."""

from __future__ import annotations

from typing import Any

import httpx

from api.http import problems
from api.http.transport.owned import Owned
from tests.kit.service.loops import in_a_loop


def client(is_ours: Any, status: int = 200) -> httpx.AsyncClient:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"what was true before"})

    transport = httpx.ASGITransport(app=Owned(app, is_ours=is_ours, refuse=problems.problem))
    return httpx.AsyncClient(transport=transport, base_url="http://halfhour")


@in_a_loop
async def test_while_it_is_surely_ours_everything_is_answered() -> None:
    async with client(lambda: True) as http:
        assert (await http.get("/v1/deliveries")).text == "what was true before"


@in_a_loop
async def test_else_nothing_is_but_how_the_process_is() -> None:
    async with client(lambda: False) as http:
        refused = await http.get("/v1/deliveries")
        assert refused.status_code == 503 and refused.json()["code"] == "tenure_unsure"
        assert refused.headers["retry-after"] == "1"
        assert (await http.get("/readyz")).status_code == 503
        assert (await http.get("/healthz")).status_code == (await http.get("/metrics")).status_code == 200


@in_a_loop
async def test_an_answer_that_was_ready_too_late_is_withheld() -> None:
    """The process was stopped between the question and the answer."""
    said = iter([True, False])
    async with client(lambda: next(said)) as http:
        late = await http.get("/v1/riders/r1/route")
        assert late.status_code == 503 and "before" not in late.text


@in_a_loop
async def test_a_refusal_needs_no_market() -> None:
    said = iter([True, False])
    async with client(lambda: next(said), status=404) as http:
        assert (await http.get("/v1/deliveries/x")).status_code == 404
