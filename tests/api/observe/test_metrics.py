"""Metrics count what happened; no personal data reaches metrics or logs."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, cast

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from api.access.keys import KeyBook
from api.access.rules import Caller, Gate, Scope, access
from api.http import problems
from api.http.transport.middleware import QuotaHeaders
from api.observe.logs import JsonLines, log_json
from api.observe.metrics import Metrics
from api.observe.request_meter import RequestMeter
from dispatch.board.board import Board
from dispatch.board.records import RiderRecord
from dispatch.events import OrderMoved
from dispatch.model import Level, OrderState, Rider, Route, Shift, Stop
from dispatch.promise.told import Said
from dispatch.promise.tracker import Tracker
from tests.kit.service.running import order, running, with_city

CANARY = "Canary Lane 7, +4915112345678"
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """All logs of a test as JSON lines."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    log_json(stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def _board(*orders: tuple[str, OrderState, int], riders: tuple[Any, ...] = (), said: tuple[Said, ...] = ()) -> Board:
    records = {
        name: SimpleNamespace(state=state, order=SimpleNamespace(due_at=due_at), parked=None, said=said)
        for name, state, due_at in orders
    }
    still = {name: record for name, record in records.items() if not record.state.is_final}
    found = SimpleNamespace(orders=records, open_orders=still, riders=dict(enumerate(riders)), now=100)
    found.promise = Tracker()
    return cast(Board, found)


def _rider(
    *, lost: bool = False, on_break: bool = False, told: tuple[str, ...] = (), start: int | None = 50
) -> RiderRecord:
    shifts = () if start is None else (Shift("r", start, 10_000),)
    stops = tuple(Stop(stop_id, 0, None, Level.TOLD, (), 0, 0, 0, 0, 0) for stop_id in told)
    return RiderRecord(Rider("r", 0), 0, 0, 0, Route("r", 1, stops), shifts, on_break=on_break, lost=lost)


def _value(metrics: Metrics, name: str, **labels: str) -> float:
    value = metrics.registry.get_sample_value(name, labels)
    assert value is not None, name
    return value


def test_deliveries_are_counted_and_the_on_time_share_follows() -> None:
    metrics = Metrics()
    board = _board(("a", OrderState.DELIVERED, 100), ("b", OrderState.DELIVERED, 100), ("c", OrderState.CANCELLED, 100))
    metrics.took(
        [
            OrderMoved(at=100, order_id="a", state=OrderState.PICKED_UP, happened_at=90),
            OrderMoved(at=100, order_id="a", state=OrderState.DELIVERED, happened_at=100),
            OrderMoved(at=101, order_id="b", state=OrderState.DELIVERED, happened_at=101),
            OrderMoved(at=101, order_id="c", state=OrderState.CANCELLED, happened_at=101),
        ],
        board,
    )
    assert _value(metrics, "halfhour_orders_ended_total", state="delivered") == 2
    assert _value(metrics, "halfhour_orders_ended_total", state="cancelled") == 1
    assert _value(metrics, "halfhour_orders_late_total") == 1
    assert _value(metrics, "halfhour_on_time_share") == 0.5


def test_what_was_said_is_held_against_what_came() -> None:
    metrics = Metrics()
    groups = ("plan/all", "plan/load:3", "plan/zone:871f8d7a5ffffff")
    said = Said("plan", 100, 130, (0,) * 8 + (20, 30), 800, True, groups)
    ends = (("a", OrderState.DELIVERED), ("b", OrderState.UNDELIVERED), ("c", OrderState.CANCELLED))
    board = _board(*((name, state, 130) for name, state in ends), said=(said,))
    metrics.took([OrderMoved(at=120, order_id=name, state=state, happened_at=120) for name, state in ends], board)
    assert _value(metrics, "halfhour_promise_ends_total", basis="plan", p90="kept") == 1
    assert _value(metrics, "halfhour_promise_ends_total", basis="plan", p90="missed") == 1
    assert _value(metrics, "halfhour_promise_probability_total", basis="plan") == 1.6
    assert _value(metrics, "halfhour_promise_tenths_total", basis="plan", tenth="8", promise="kept") == 1
    assert _value(metrics, "halfhour_promise_tenths_total", basis="plan", tenth="8", promise="missed") == 1
    assert _value(metrics, "halfhour_promise_slices_total", basis="plan", slice="load:3", p90="kept") == 1
    assert b"871f8d7a5ffffff" not in metrics.text(), "labels are few"


def test_the_survey_tells_whether_what_is_said_is_calibrated() -> None:
    metrics, board = Metrics(), _board()
    board.promise.taught["plan"] = 600
    metrics.survey(board)
    assert _value(metrics, "halfhour_promise_calibrated", basis="plan") == 1
    assert _value(metrics, "halfhour_promise_calibrated", basis="quote") == 0


def test_the_survey_counts_states_and_forgets_what_has_gone() -> None:
    metrics = Metrics()
    riders = (
        _rider(), _rider(told=("s",)), _rider(on_break=True), _rider(lost=True), _rider(start=None), _rider(start=200),
    )  # fmt: skip
    metrics.survey(_board(("a", OrderState.CREATED, 0), ("b", OrderState.DELIVERED, 0), riders=riders))
    assert _value(metrics, "halfhour_orders", state="created") == 1
    doing = {word: _value(metrics, "halfhour_riders", doing=word) for word in ("idle", "working", "on_break", "lost")}
    assert doing == {"idle": 1, "working": 1, "on_break": 1, "lost": 1}
    assert _value(metrics, "halfhour_riders", doing="off_duty") == 2
    metrics.survey(_board())
    assert _value(metrics, "halfhour_orders", state="created") == 0


def test_two_services_in_one_process_do_not_mix() -> None:
    one, other = Metrics(), Metrics()
    one.fallbacks.labels("late").inc()
    assert b'halfhour_fallbacks_total{why="late"} 1.0' in one.text()
    assert b'why="late"' not in other.text()


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    dropoff_address: str
    count: int


def _app() -> tuple[FastAPI, Metrics, str]:
    metrics, book = Metrics(), KeyBook(b"s" * 32)
    key, _ = book.make("pizza", {Scope.ORDERS}, 0)
    app = FastAPI()
    app.state.application = SimpleNamespace(gate=Gate(book, clock=lambda: 0.0))
    problems.install(app)

    @app.post("/v1/deliveries/{external_delivery_id}")
    async def create(external_delivery_id: str, body: Body, caller: Annotated[Caller, access(Scope.ORDERS)]) -> str:
        if body.count == 13:
            raise RuntimeError(f"cannot read {body.dropoff_address}")
        return "ok"

    app.add_middleware(QuotaHeaders)
    app.add_middleware(RequestMeter, metrics=metrics)
    return app, metrics, key


async def test_no_canary_reaches_logs_or_metrics_and_the_key_is_never_shown(lines: io.StringIO) -> None:
    app, metrics, key = _app()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    bodies: list[Any] = [
        {"dropoff_address": CANARY, "count": 1},
        {"dropoff_address": CANARY, "count": 13},
        {"dropoff_address": [CANARY], "count": CANARY},
        {"dropoff_address": CANARY, "count": 1, CANARY: CANARY},
    ]
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {key}"}
    ) as http:
        answers = [
            await http.post(f"/v1/deliveries/{CANARY}", headers={"X-Note": CANARY}, json=body) for body in bodies
        ]
        answers.append(await http.post(f"/v1/deliveries/{CANARY}", params={"note": CANARY}, json=bodies[0]))
        answers.append(await http.get(f"/nowhere/{CANARY}"))
    assert [answer.status_code for answer in answers] == [200, 500, 422, 422, 422, 404]
    written = lines.getvalue()
    for secret in (CANARY, "Canary", "4915112345678", key, key[-30:]):
        assert secret not in written
        assert secret not in metrics.text().decode()
    assert "RuntimeError" in written and "create at" in written


async def test_one_line_for_each_answer_and_one_histogram_for_each_route(lines: io.StringIO) -> None:
    app, metrics, key = _app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        await http.post(
            "/v1/deliveries/d1", json={"dropoff_address": "x", "count": 1}, headers={"Authorization": f"Bearer {key}"}
        )
        await http.post("/v1/deliveries/d2", json={})
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    told = [line for line in said if line["logger"] == "api.access"]
    assert [(line["route"], line["status"], line.get("tenant")) for line in told] == [
        ("/v1/deliveries/{external_delivery_id}", 200, "pizza"),
        ("/v1/deliveries/{external_delivery_id}", 401, None),
    ]
    route = "/v1/deliveries/{external_delivery_id}"
    for status in ("200", "401"):
        assert _value(metrics, "halfhour_request_seconds_count", method="POST", route=route, status=status) == 1


def test_only_listed_fields_are_written() -> None:
    record = logging.LogRecord("x", logging.INFO, "f.py", 1, "round %d", (7,), None)
    record.round, record.phone = 7, CANARY
    line = json.loads(JsonLines().format(record))
    assert (line["message"], line["round"]) == ("round 7", 7)
    assert "phone" not in line


async def test_the_service_tells_what_it_counts(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await with_city(run)
        await run.orders.post("/v1/deliveries", json=order("o1"))
        await run.orders.post("/v1/deliveries/o1/cancel", json={})
        answer = await run.ops.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    for line in (
        'halfhour_orders_ended_total{state="cancelled"} 1.0',
        'halfhour_riders{doing="idle"} 1.0',
        'halfhour_webhook_tries{end="sent"} 0.0',
        "halfhour_streams 0.0",
        'halfhour_request_seconds_count{method="POST",route="/v1/deliveries",status="201"} 1.0',
    ):
        assert line in lines
    assert "Canary" not in answer.text and "o1" not in answer.text


def test_every_figure_of_one_of_several_markets_says_whose_it_is() -> None:
    from prometheus_client.parser import text_string_to_metric_families as families

    metrics = Metrics("munich")
    metrics.fallbacks.labels("late").inc()
    metrics.commit_s.observe(0.1)
    samples = [sample for family in families(metrics.text().decode()) for sample in family.samples]
    assert len(samples) > 40 and {sample.labels.get("market") for sample in samples} == {"munich"}
    late = [sample for sample in samples if sample.name == "halfhour_fallbacks_total"]
    assert late[0].labels == {"why": "late", "market": "munich"} and late[0].value == 1
    alone = [sample for family in families(Metrics().text().decode()) for sample in family.samples]
    assert not any("market" in sample.labels for sample in alone)
