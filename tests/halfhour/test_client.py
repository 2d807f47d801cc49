"""The client: patience, idempotency keys, typed errors, cursors, streams."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.http.routes.stores import list_store
from api.outbox.webhook_signature import new_secret, signed_headers
from halfhour.client import (
    ApiError,
    Busy,
    Client,
    Conflict,
    Invalid,
    InvalidSignature,
    NotAllowed,
    NotThere,
    Unreachable,
    verify_webhook,
)
from halfhour.live.demo_city import stores
from tests.kit.service.running import running
from tests.kit.service.serving import serving

DROPOFF: Any = {"location": {"lat": 48.139, "lng": 11.576}}


class Server:
    """Answers by a script and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, tries: int = 4) -> Client:
        return Client(
            "http://test", "hh_key", tries=tries, transport=httpx.MockTransport(self), sleep=self.slept.append
        )


def _problem(status: int, code: str, **more: Any) -> httpx.Response:
    headers = {"Retry-After": str(more.pop("after"))} if "after" in more else {}
    return httpx.Response(status, json={"code": code, "detail": "no", **more}, headers=headers)


def test_a_lost_write_is_repeated_with_the_same_key_until_it_is_answered() -> None:
    server = Server(
        httpx.ConnectError("x"), _problem(503, "not_ready"), httpx.Response(201, json={"status": "created"})
    )
    made = server.client().orders.create(external_delivery_id="o-1", pickup_store_id="s", dropoff=DROPOFF)
    assert made == {"status": "created"}
    keys = {request.headers["idempotency-key"] for request in server.asked}
    assert len(server.asked) == 3 and len(keys) == 1
    assert json.loads(server.asked[0].content) == {
        "external_delivery_id": "o-1", "pickup_store_id": "s", "dropoff": DROPOFF,
    }  # fmt: skip
    assert server.asked[0].headers["authorization"] == "Bearer hh_key"


def test_each_write_has_a_key_of_its_own_or_the_one_that_is_given() -> None:
    server = Server(*(httpx.Response(201, json={}) for _ in range(3)))
    client = server.client()
    for key in (None, None, "mine"):
        client.orders.create(external_delivery_id="o", pickup_store_id="s", dropoff=DROPOFF, key=key)
    first, second, third = (request.headers["idempotency-key"] for request in server.asked)
    assert first != second and third == "mine"


def test_the_wait_that_the_service_asks_for_is_kept() -> None:
    server = Server(_problem(429, "rate_limited", after=7), httpx.Response(200, json={}))
    server.client().ops.status()
    assert len(server.slept) == 1 and 7 <= server.slept[0] < 9


def test_patience_ends() -> None:
    server = Server(*(_problem(503, "not_ready") for _ in range(4)))
    with pytest.raises(Busy) as busy:
        server.client().ops.status()
    assert (busy.value.status, busy.value.code, len(server.asked)) == (503, "not_ready", 4)
    server = Server(*(httpx.ReadTimeout("x") for _ in range(4)))
    with pytest.raises(Unreachable):
        server.client().ops.status()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "unauthorized", NotAllowed), (403, "forbidden", NotAllowed), (404, "unknown_delivery", NotThere),
        (409, "invalid_transition", Conflict), (412, "revision_mismatch", Conflict),
        (422, "validation_failed", Invalid), (413, "too_large", Invalid), (500, "internal", ApiError),
    ],
)  # fmt: skip
def test_what_patience_would_not_better_is_raised_at_once(status: int, code: str, kind: type[ApiError]) -> None:
    errors = [{"field": "dropoff", "error": "missing"}]
    server = Server(_problem(status, code, field_errors=errors))
    with pytest.raises(ApiError) as refused:
        server.client().orders.get("o-1")
    assert type(refused.value) is kind
    assert (refused.value.status, refused.value.code, refused.value.field_errors) == (status, code, errors)
    assert server.slept == []


def test_an_answer_that_is_no_problem_body_is_still_an_error() -> None:
    for answer in (httpx.Response(404, text="<html>"), httpx.Response(404, json=["x"])):
        with pytest.raises(NotThere):
            Server(answer).client().orders.get("o")


def test_instants_are_sent_in_utc_and_ids_cannot_leave_their_place_in_the_path() -> None:
    server = Server(httpx.Response(200, json={}), httpx.Response(200, json={}))
    client = server.client()
    client.kitchen.ready_estimate("a/../b?c", datetime(2030, 1, 31, 13, tzinfo=timezone(timedelta(hours=1))))
    assert server.asked[0].url.raw_path == b"/v1/deliveries/a%2F..%2Fb%3Fc/ready_estimate"
    assert json.loads(server.asked[0].content) == {"pickup_ready_at": "2030-01-31T12:00:00+00:00"}
    with pytest.raises(ValueError, match="time zone"):
        client.kitchen.ready_estimate("o", datetime(2030, 1, 31))
    with pytest.raises(ValueError):
        client.riders.position("r", float("nan"), 0.0)


def test_pages_are_followed_to_the_last() -> None:
    server = Server(
        httpx.Response(200, json={"deliveries": [{"status": "created"}], "next": "c1"}),
        httpx.Response(200, json={"deliveries": [{"status": "delivered"}], "next": None}),
    )
    assert [delivery["status"] for delivery in server.client().orders.all()] == ["created", "delivered"]
    assert server.asked[1].url.params["after"] == "c1"


def _event(number: int) -> dict[str, Any]:
    return {"id": f"evt_{number}", "cursor": str(number), "kind": "delivery.created", "data": {}}


def test_events_go_on_from_the_cursor_and_end_at_now_if_asked() -> None:
    server = Server(
        httpx.Response(200, json={"events": [_event(1), _event(2)], "next": "2"}),
        httpx.Response(200, json={"events": [], "next": "2"}),
    )
    assert [event["cursor"] for event in server.client().events("0", follow=False)] == ["1", "2"]
    assert [request.url.params["after"] for request in server.asked] == ["0", "2"]


def _sse(*numbers: int, breaks: bool = False) -> httpx.Response:
    def body() -> Iterator[bytes]:
        yield b"retry: 2000\n\n: still here\n\n"
        yield b"event: positions\ndata: {}\n\n"  # passing news without an id
        for number in numbers:
            yield f"id: {number}\nevent: delivery.created\ndata: {json.dumps(_event(number))}\n\n".encode()
        if breaks:
            raise httpx.ReadError("line cut")

    return httpx.Response(200, content=body())


def test_a_stream_comes_back_where_the_line_broke() -> None:
    server = Server(_sse(1, 2, breaks=True), _problem(503, "not_ready"), _sse(3), _sse(4))
    stream = server.client().stream("0")
    assert [next(stream)["cursor"] for _ in range(4)] == ["1", "2", "3", "4"]
    assert [request.headers["last-event-id"] for request in server.asked] == ["0", "2", "2", "3"]


def test_a_stream_that_is_refused_says_why_and_one_that_is_gone_gives_up() -> None:
    with pytest.raises(NotAllowed):
        next(Server(_problem(401, "unauthorized")).client().stream())
    with pytest.raises(Busy):
        next(Server(*(_problem(503, "not_ready") for _ in range(4))).client().stream())
    with pytest.raises(Unreachable):
        next(Server(*(httpx.ConnectError("x") for _ in range(4))).client().stream())


def test_a_webhook_is_verified_with_the_helper() -> None:
    secret, now = new_secret(), int(datetime.now(UTC).timestamp())
    headers = signed_headers([secret], "evt_1", now, b"{}")
    assert verify_webhook([secret], headers, b"{}", now=now) == "evt_1"
    with pytest.raises(InvalidSignature):
        verify_webhook([secret], headers, b"{ }", now=now)


CALLS: list[tuple[Callable[[Client], Any], str, str]] = [
    (lambda c: c.orders.cancel("o"), "POST", "/v1/deliveries/o/cancel"),
    (lambda c: c.orders.change("o", load_units=2), "PATCH", "/v1/deliveries/o"),
    (lambda c: c.kitchen.throttle("s", 300), "POST", "/v1/stores/s/throttle"),
    (lambda c: c.kitchen.token("s"), "POST", "/v1/stores/s/token"),
    (lambda c: c.riders.position("r", 1.0, 2.0), "POST", "/v1/riders/r/position"),
    (lambda c: c.riders.complete("r.1", deliveries=["d"]), "POST", "/v1/stops/r.1/complete"),
    (lambda c: c.riders.accept("r@1"), "POST", "/v1/offers/r%401/accept"),
    (lambda c: c.ops.traffic(), "GET", "/v1/traffic"),
    (lambda c: c.ops.change_traffic(weather="rain"), "PATCH", "/v1/traffic"),
    (lambda c: c.ops.override("hold", "why", delivery_id="d"), "POST", "/v1/overrides"),
]


@pytest.mark.parametrize(("call", "method", "path"), CALLS)
def test_methods_ask_for_what_they_say(call: Callable[[Client], Any], method: str, path: str) -> None:
    server = Server(httpx.Response(200, json={}))
    call(server.client())
    assert (server.asked[0].method, server.asked[0].url.raw_path.decode()) == (method, path)


def test_a_lost_change_is_repeated_with_the_same_key() -> None:
    server = Server(httpx.ReadError("x"), httpx.Response(200, json={"status": "created"}))
    server.client().orders.change("o-1", if_match='"abc"', load_units=2)
    keys = [request.headers["idempotency-key"] for request in server.asked]
    assert len(keys) == 2 and len(set(keys)) == 1
    assert {request.headers["if-match"] for request in server.asked} == {'"abc"'}


def test_retry_after_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    server = Server(_problem(503, "not_ready", after=at), httpx.Response(200, json={}))
    server.client().ops.status()
    assert 80 < server.slept[0] < 120


def test_a_page_of_somebody_in_between_is_no_answer() -> None:
    page = {"content": b"<html>Please log in</html>", "headers": {"Content-Type": "text/html"}}
    server = Server(httpx.Response(200, **page), httpx.Response(200, json={"ready": True}))
    assert server.client().ops.status() == {"ready": True}
    server = Server(*(httpx.Response(200, **page) for _ in range(4)))
    with pytest.raises(Unreachable, match="text/html"):
        server.client().ops.status()
    server = Server(httpx.Response(200, **page))
    with pytest.raises(Unreachable, match="text/html"):
        next(server.client().stream())


# --- against a service ----------------------------------------------------------------------------------------------


def _carry(url: str, keys: dict[str, str]) -> None:
    """An order from hand-over to door, by the four faces of the client."""
    with Client(url, keys["orders"]) as shop, Client(url, keys["riders"]) as fleet, Client(url, keys["ops"]) as office:
        office.ops.add_store("s9", 48.137, 11.575)
        office.ops.add_rider("r9", 48.1372, 11.5752)
        fleet.riders.start_shift("r9", end_at=datetime.now(UTC) + timedelta(hours=2))
        with Client(url, fleet.riders.token("r9")["token"]) as phone:
            assert phone.riders.position("r9", 48.1372, 11.5752)["taken"] == 1
            quote = shop.orders.quote(external_delivery_id="o-9", pickup_store_id="s9", dropoff=DROPOFF)
            made = shop.orders.accept("o-9", quote["quote_id"])
            assert made["status"] == "created"
            twice = [
                shop.orders.create(external_delivery_id="o-7", pickup_store_id="s9", dropoff=DROPOFF) for _ in "ab"
            ]
            assert twice[0]["delivery_id"] == twice[1]["delivery_id"]
            assert shop.orders.cancel("o-7")["status"] == "cancelled"
            shop.kitchen.ready("o-9")
            with pytest.raises(NotThere):
                phone.riders.route("rider-1")
            _work(phone)
        assert shop.orders.get("o-9")["status"] == "delivered"
        kinds = [event["kind"] for event in shop.events(follow=False)]
        assert kinds[0] == "delivery.created" and kinds[-1] == "delivery.delivered"
        assert [one["external_delivery_id"] for one in shop.orders.all(limit=1)] == ["o-7", "o-9"]
        with pytest.raises(Conflict) as late:
            shop.orders.cancel("o-9")
        assert late.value.code == "invalid_transition"
        with pytest.raises(Invalid) as wrong:
            shop.orders.create(
                external_delivery_id="o-8", pickup_store_id="s9", dropoff={"location": {"lat": 99, "lng": 0}}
            )
        assert wrong.value.field_errors[0]["field"] == "dropoff.location.lat"
        with pytest.raises(NotAllowed):
            shop.ops.override("hold", "why", delivery_id="o-9")
        assert office.ops.status()["ready"] is True


def _work(phone: Client) -> None:
    """What a rider's app does until nothing is left to do."""
    done: set[str] = set()
    for _ in range(3000):
        route = phone.riders.route("r9")
        phone.riders.seen("r9", route["revision"])
        todo = [stop for stop in route["stops"] if stop["stop_id"] not in done]
        if not todo and len(done) >= 2:
            return
        for stop in todo[:1]:
            phone.riders.arrive(stop["stop_id"])
            if stop["acts"]:
                phone.riders.complete(stop["stop_id"], deliveries=[act["delivery_id"] for act in stop["acts"]])
                done.add(stop["stop_id"])
        time.sleep(0.1)
    raise AssertionError("the order is not done")


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_order_is_carried_by_the_four_faces_of_the_client(tmp_path: Path) -> None:
    quick = dict.fromkeys(("store_enter_s", "store_exit_s", "drop_enter_s", "drop_exit_s"), 0)
    async with running(tmp_path, **quick) as run, serving(run.app) as url:
        await asyncio.to_thread(_carry, url, run.keys)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_page_about_the_client_runs_as_it_stands(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "python-client.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    async with running(tmp_path) as run, serving(run.app) as url:
        for store_id, store in stores():
            await list_store(run.service, store_id, store)
        names = {"key": run.keys["orders"], "cursor": "0"}
        await asyncio.to_thread(exec, code.replace("http://127.0.0.1:8080", url), names)
        assert names["cursor"] != "0"
        made = (await run.orders.get(f"/v1/deliveries/{names['mine']}")).json()
        assert made["status"] in ("cancelled", "created", "confirmed")
