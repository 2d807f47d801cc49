"""The way in and the way out: who asks comes first, bodies are JSON by name, answers carry what browsers need."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.application import document
from api.common.api_keys import Scope
from tests.kit.service.running import Running, order, running, with_city
from tests.kit.service.serving import serving

pytestmark = pytest.mark.anyio
BODIES = [
    (verb, path, {role for rule in operation.get("security", ()) for role in rule["bearer"]})
    for path, item in document()["paths"].items()
    for verb, operation in item.items()
    if "requestBody" in operation
]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running(tmp_path_factory.mktemp("ledger"), root_path="/dispatch") as found:
        await with_city(found)
        yield found


# --- in -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "path", "roles"), BODIES, ids=[f"{verb} {path}" for verb, path, _ in BODIES])
async def test_who_asks_comes_before_what_he_says(run: Running, verb: str, path: str, roles: set[str]) -> None:
    nonsense: dict[str, Any] = {"content": b'{"half', "headers": {"Content-Type": "application/json"}}
    where = re.sub(r"{\w+}", "x", path)
    assert (await run.anyone.request(verb, where, **nonsense)).status_code == 401
    for name in ("orders", "riders"):
        if name not in roles:
            assert (await run.http[name].request(verb, where, **nonsense)).status_code == 403


async def test_one_request_takes_one_token_of_its_bucket(run: Running) -> None:
    left = [
        int((await run.orders.post("/v1/quotes", json=order(f"q{k}"))).headers["ratelimit-remaining"]) for k in range(2)
    ]
    assert left[0] - left[1] <= 1


def _json(name: str) -> bytes:
    return json.dumps(order(name)).encode()


WRONG = {
    "no content type": ({}, _json("t1"), "Content-Type"),
    "text": ({"Content-Type": "text/plain"}, _json("t2"), "Content-Type"),
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=b", "Content-Type"),
    "gzip": ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, gzip.compress(_json("t3")),
             "Content-Encoding"),
    "Latin-1 by name": ({"Content-Type": "application/json; charset=iso-8859-1"}, _json("t4"), "Content-Type"),
    "Latin-1 in fact": ({"Content-Type": "application/json"}, '{"pickup_store_id": "ä"}'.encode("latin-1"), "body"),
    "UTF-16": ({"Content-Type": "application/json"}, json.dumps(order("t5")).encode("utf-16"), "body"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
async def test_a_body_that_is_no_json_in_utf_8_is_refused_by_name(run: Running, kind: str) -> None:
    headers, content, field = WRONG[kind]
    answer = await run.orders.post("/v1/deliveries", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert answer.json()["field_errors"][0]["field"] == field


async def _piece(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def test_json_is_taken_by_each_of_its_names_whole_and_in_pieces(run: Running) -> None:
    kinds = ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF8"]
    kinds.append("application/x+json")
    for k, kind in enumerate(kinds):
        answer = await run.orders.post("/v1/deliveries", content=_json(f"j{k}"), headers={"Content-Type": kind})
        assert answer.status_code == 201, answer.text
    pieces = await run.orders.post(
        "/v1/deliveries", content=_piece(_json("j9")), headers={"Content-Type": "application/json"}
    )
    assert pieces.status_code == 201
    wrong = await run.orders.post("/v1/deliveries", content=_piece(_json("j10")))
    assert wrong.status_code == 415
    assert (await run.orders.post("/v1/deliveries/j0/cancel")).status_code == 200  # no body, no kind


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ('"{}"', 200), ("{}", 200),
        ('W/"{}"', 200), ('"old", "{}"', 200), ('W/"old",{}', 200), ("*", 200), (" * ", 200),
        ('"old"', 412), ("old", 412), ('W/"old", "older"', 412), ('""', 422), ("a b", 422), ('"{}', 422), (",", 422),
    ],
)  # fmt: skip
async def test_a_version_is_understood_as_people_and_proxies_send_it(run: Running, header: str, status: int) -> None:
    made = await run.orders.post("/v1/deliveries", json=order("versioned"))
    version = (await run.orders.get("/v1/deliveries/versioned")).json()["version"]
    assert made.headers["etag"]
    answer = await run.orders.patch(
        "/v1/deliveries/versioned", json={"priority": 0}, headers={"If-Match": header.format(version)}
    )
    assert answer.status_code == status, answer.text
    if status == 422:
        assert answer.json()["field_errors"][0]["field"] == "If-Match"


async def test_a_key_that_ends_ends_its_streams_and_long_waits(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.outbox.feed.LOOK_S", 0.05)
    keys = run.app.state.application.gate.keys
    text, key = keys.make("operator", [Scope.OPS], run.host.clock.now())
    headers = {"Authorization": f"Bearer {text}"}
    async with serving(run.app) as url, httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:

        async def follow(path: str) -> str:
            async with http.stream("GET", path) as answer:
                return "".join([piece async for piece in answer.aiter_text()])

        watching = [asyncio.create_task(follow(path)) for path in ("/v1/stream", "/v1/board/stream")]
        newest: dict[str, Any] = {"events": [1], "next": "0"}
        while newest["events"]:
            newest = (await http.get("/v1/events", params={"after": newest["next"], "limit": 200})).json()
        waiting = asyncio.create_task(http.get("/v1/events", params={"after": newest["next"], "wait_s": 0.5}))
        await asyncio.sleep(0.1)
        assert not any(task.done() for task in watching)
        await asyncio.to_thread(keys.revoke, key.key_id, run.host.clock.now())
        async with asyncio.timeout(30):
            await asyncio.gather(*watching)
            assert (await waiting).status_code == 401


# --- out ------------------------------------------------------------------------------------------------------------


async def test_a_customers_link_is_read_from_any_page_with_head_and_options_too(run: Running) -> None:
    await run.orders.post("/v1/deliveries", json=order("tracked"))
    link = (await run.orders.get("/v1/deliveries/tracked")).json()["tracking_path"]
    got, headed, asked = [await run.anyone.request(verb, link) for verb in ("GET", "HEAD", "OPTIONS")]
    assert (got.status_code, headed.status_code, asked.status_code) == (200, 200, 204)
    assert headed.headers["content-length"] == got.headers["content-length"] and headed.content == b""
    missing = await run.anyone.get("/v1/track/nothing")
    for answer in (got, headed, asked, missing):
        assert answer.headers["access-control-allow-origin"] == "*"
    assert "GET" in asked.headers["access-control-allow-methods"]
    assert missing.status_code == 404
    closed = await run.orders.get("/v1/deliveries/tracked")
    assert "access-control-allow-origin" not in closed.headers


async def test_head_answers_wherever_get_does_and_streams_are_none(run: Running) -> None:
    for path in ("/healthz", "/readyz", "/board", "/v1/deliveries", "/v1/status", "/openapi.json"):
        got, headed = await run.orders.get(path), await run.orders.head(path)
        assert (headed.status_code, headed.content) == (got.status_code, b""), path
        assert headed.headers["content-type"] == got.headers["content-type"]
    assert (await run.orders.head("/v1/stream")).status_code == 405
    assert (await run.anyone.head("/v1/deliveries")).status_code == 401


async def test_no_answer_is_guessed_at_or_kept_on_its_way(run: Running) -> None:
    await run.orders.post("/v1/deliveries", json=order("plain"))
    answers = [
        await run.orders.get("/v1/deliveries/plain"),
        await run.orders.get("/v1/deliveries"),
        await run.orders.get("/v1/deliveries/none"),
        await run.anyone.get("/v1/deliveries"),
        await run.orders.post("/v1/deliveries", content=b"x" * 20_000),
        await run.riders.get("/v1/riders/r1/route"),
        await run.ops.get("/v1/board"),
    ]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    page = await run.anyone.get("/board")
    assert page.headers["cache-control"] == "no-cache"


# --- behind a proxy -------------------------------------------------------------------------------------------------


async def test_under_the_path_of_a_proxy_everything_is_where_it_says(run: Running) -> None:
    made = await run.orders.post("/dispatch/v1/deliveries", json=order("far"))
    assert made.status_code == 201
    link = made.json()["tracking_path"]
    assert link.startswith("/dispatch/v1/track/")
    assert (await run.anyone.get(link)).status_code == 200
    assert (await run.anyone.get(link.removeprefix("/dispatch"))).status_code == 200  # a proxy that takes it off
    taken = await run.orders.post("/v1/deliveries", json=order("far", load_units=7))
    assert taken.json()["existing"] == "/dispatch/v1/deliveries/far"
    assert (await run.anyone.get("/dispatch/openapi.json")).json()["servers"] == [{"url": "/dispatch"}]
    too_large = await run.riders.post("/dispatch/v1/positions", content=b"x" * 100_000)
    assert too_large.status_code == 415  # the limit of that path, not the usual one
    assert (await run.anyone.get("/dispatchers")).status_code == 404


def _files() -> Iterator[tuple[str, str]]:
    for item in (resources.files("api.console") / "web").iterdir():
        if item.name.endswith((".html", ".js", ".css")):
            yield item.name, item.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "text"), list(_files()), ids=[name for name, _ in _files()])
def test_pages_name_everything_relative_to_where_they_are(name: str, text: str) -> None:
    absolute = re.findall(r"""(?:href|src)="/[^"]*|[("'`]/(?:v1|console|openapi)[^"'`]*|url\(\s*["']?/""", text)
    assert absolute == []


@pytest.mark.parametrize(
    ("name", "status"),
    [("a", 201), ("A9_.:~-", 201), ("x" * 64, 201), ("x" * 65, 422), ("#1017", 422), ("a/b", 422), (".a", 422),
     ("", 422), ("ä", 422), ("a b", 422)],
)  # fmt: skip
async def test_ids_are_what_the_page_about_limits_says(run: Running, name: str, status: int) -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert "1 to 64 of `A-Z a-z 0-9 _ . : ~ -`" in page
    assert (await run.orders.post("/v1/deliveries", json=order(name))).status_code == status


@pytest.mark.parametrize(("days", "status"), [(6.9, 201), (7.1, 422)])
async def test_instants_lie_as_far_ahead_as_the_page_about_limits_says(run: Running, days: float, status: int) -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert "| instants of an order | a day back to 7 days ahead | 422 |" in page
    ahead = run.clock.soon(round(days * 86_400))
    for field in ("pickup_ready_at", "release_at"):
        made = await run.orders.post("/v1/deliveries", json=order(f"{field}-{round(10 * days)}", **{field: ahead}))
        assert made.status_code == status, made.text
        if status == 422:
            assert made.json()["field_errors"][0]["field"] == field
