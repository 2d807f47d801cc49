"""The operations board: what it shows, how it streams, and how it looks in a real browser."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from hypothesis import given

from api.access.rules import routes_without_rule
from api.console.board_feed import BoardFeed
from api.console.board_view import TABLES, board_view, changes
from api.http.transport.server import Server
from routing.places import LatLng
from tests.kit.service.boards import NOW, Scene, applied, city_service, engine_with_work, next_frame, served, views
from tests.kit.service.browser import CHROMIUM, page
from tests.kit.service.running import STORE, Running, order, running, with_city
from tests.kit.service.serving import serving

pytestmark = pytest.mark.anyio


# --- the view -------------------------------------------------------------------------------------------------------


def test_the_view_shows_who_works_and_what_is_open() -> None:
    view = board_view(engine_with_work().board, NOW)
    assert view["counts"] == {"open": 2, "late": 1, "waiting": 2, "idle": 1, "working": 0, "lost": 0}
    assert [rider["id"] for rider in view["riders"]] == ["r1"]
    assert {store["id"]: store["open"] for store in view["stores"]} == {"A": True, "B": False}
    late, calm = view["orders"]
    assert (late["id"], late["late"], late["ready"], calm["late"], calm["ready"]) == ("late", True, True, False, False)
    assert (calm["lat"], calm["lng"], calm["due_at"]) == (45.005, 9.0, "2025-06-15T15:36:40Z")
    (heat,) = view["heat"]
    assert (heat["orders"], len(heat["corners"])) == (2, 6), "both are of store A"
    assert all(abs(corner["lat"] - 45.0) < 0.02 and abs(corner["lng"] - 9.0) < 0.02 for corner in heat["corners"])
    json.dumps(view, allow_nan=False)


def test_an_order_becomes_late_as_time_passes_and_a_newer_position_wins() -> None:
    board = engine_with_work().board
    view = board_view(board, NOW + 1801, seen=lambda rider_id: LatLng(45.5, 9.5), step="insertion")
    assert view["counts"]["late"] == 2 and view["ladder"] == "insertion"
    assert (view["riders"][0]["lat"], view["riders"][0]["lng"]) == (45.5, 9.5)


@given(views, views)
def test_changes_turn_one_view_into_the_other_and_say_nothing_more(before: Any, after: Any) -> None:
    found = changes(before, after)
    assert applied(before, found) == {table: {m["id"]: m for m in after[table]} for table in TABLES}
    for table in TABLES:
        assert all(member not in before[table] for member in found[table])


# --- the stream -----------------------------------------------------------------------------------------------------


async def test_a_viewer_gets_the_board_then_only_changes() -> None:
    scene = Scene()
    feed = BoardFeed(scene.look, beat_s=0.005)
    frames = feed.frames()
    first = await next_frame(frames)
    assert (first.kind, json.loads(first.data)["riders"][0]["x"]) == ("board", 0)
    scene.x = 1
    second = await next_frame(frames)
    assert (second.kind, second.number) == ("changes", first.number + 1)
    assert json.loads(second.data)["riders"][0]["x"] == 1
    await feed.close()
    assert [frame async for frame in frames if frame is not None] == []


async def test_who_comes_back_gets_what_he_missed_or_the_whole_board() -> None:
    scene = Scene()
    feed = BoardFeed(scene.look, beat_s=0.005, kept=3)
    watching = feed.frames()
    first = await next_frame(watching)
    for x in range(1, 6):
        scene.x = x
        last = await next_frame(watching)
    assert last.number == first.number + 5
    again = await next_frame(feed.frames(after=last.number - 3))
    assert (again.kind, again.number) == ("changes", last.number - 2)
    whole = await next_frame(feed.frames(after=first.number))  # frame first+1 is no longer kept
    assert (whole.kind, whole.number, json.loads(whole.data)["riders"][0]["x"]) == ("board", last.number, 5)
    future = await next_frame(feed.frames(after=last.number + 100))  # a number of another run of the service
    assert future.kind == "board"
    await feed.close()


async def test_nothing_new_is_a_heartbeat_and_nobody_watching_costs_nothing() -> None:
    scene, looks = Scene(), 0

    def look() -> dict[str, Any]:
        nonlocal looks
        looks += 1
        return scene.look()

    feed = BoardFeed(look, beat_s=0.001)
    frames = feed.frames(heartbeat_s=0.05)
    await next_frame(frames)
    assert await anext(frames) is None
    await frames.aclose()
    before = looks
    await asyncio.sleep(0.02)
    assert looks == before > 1


# --- the pages ------------------------------------------------------------------------------------------------------


async def test_pages_are_public_and_their_data_is_not() -> None:
    async with served(city_service()) as (url, key, app), httpx.AsyncClient(base_url=url, trust_env=False) as http:
        board = await http.get("/board")
        assert board.status_code == 200 and "text/html" in board.headers["content-type"]
        assert "'unsafe" not in board.headers["content-security-policy"]
        assert "<script>" not in board.text and "style=" not in board.text and "//" not in board.text.split("<body>")[1]
        for path in ("/v1/board", "/v1/board/stream", "/v1/board/streets"):
            assert (await http.get(path)).status_code == 401
        assert (await http.get("/console/../routes.py")).status_code == 404
        assert (await http.get("/console/nothing.js")).status_code == 404
        answer = (await http.get("/v1/board", headers={"Authorization": f"Bearer {key}"})).json()
        assert answer["counts"]["late"] == 5 and answer["cursor"] == 0
        assert list(routes_without_rule(app)) == []


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
async def test_the_board_in_a_browser(tmp_path: Path) -> None:
    view = city_service()
    async with served(view) as (url, key, _), page() as tab:
        await tab.size(1280, 800)
        await tab.open(f"{url}/board?paused=1&t={NOW}#key={key}")
        assert await tab.js("document.getElementById('count-late').textContent") == "5"
        assert await tab.js("document.querySelectorAll('.row').length") == len(view["orders"])
        urgencies = await tab.js("[...document.querySelectorAll('.row')].map((row) => row.dataset.urgency)")
        assert urgencies[:6] == ["late"] * 5 + ["soon"]
        assert await tab.js("location.hash") == ""  # the key does not stay in the address bar
        colours = "new Set(document.getElementById('map').getContext('2d').getImageData(0, 0, 900, 700).data).size"
        assert await tab.js(colours) > 50
        light = await tab.picture(tmp_path / "light.png")
        await tab.js("document.querySelector('.row').click()")
        await tab.until("!document.getElementById('card').hidden")
        await tab.size(1280, 800, dark=True)
        assert await tab.picture(tmp_path / "dark.png") != light
        await tab.size(390, 844, mobile=True)
        assert await tab.js("document.documentElement.scrollWidth") <= 390
        assert tab.complaints == []
        assert [address for address in tab.requests if not address.startswith(url)] == []


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
async def test_the_board_follows_what_happens_and_asks_for_a_key_that_works() -> None:
    view = city_service()
    async with served(view) as (url, key, _), page() as tab:
        await tab.size(1280, 800)
        await tab.open(f"{url}/board#key=hh_wrong", ready="document.getElementById('ask')?.open === true")
        await tab.js(f"document.getElementById('key').value = '{key}'")
        await tab.js("document.querySelector('#ask-form button').click()")
        await tab.until("document.getElementById('link').dataset.state === 'live'")
        view["orders"] = view["orders"][3:]
        view["counts"] = {**view["counts"], "open": len(view["orders"]), "late": 2}
        view["ladder"] = "urgent"
        await tab.until("document.getElementById('count-late').textContent === '2'")
        assert await tab.js("document.querySelectorAll('.row').length") == len(view["orders"])
        assert await tab.js("document.getElementById('ladder').textContent") == "urgent"


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
async def test_the_documentation_needs_no_network(tmp_path: Path) -> None:
    async with served(city_service()) as (url, _, app), page() as tab:
        await tab.size(1280, 800)
        await tab.open(f"{url}/docs")
        operations = sum(len(item) for item in app.openapi()["paths"].values())
        assert await tab.js("document.querySelectorAll('article').length") == operations
        assert "Open to: ops, admin" in await tab.js("document.querySelector('.roles').textContent")
        await tab.js(
            "(f => { f.value = 'streets'; f.dispatchEvent(new Event('input')); })(document.getElementById('filter'))"
        )
        assert await tab.js("document.querySelectorAll('#index a:not([hidden])').length") == 1
        assert len(await tab.picture(tmp_path / "docs.png")) > 10_000
        assert tab.complaints == []
        assert [address for address in tab.requests if not address.startswith(url)] == []


async def test_a_server_that_ends_ends_its_streams_first(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        server = Server(run.app, uvicorn.Config(run.app, port=0, log_level="error", lifespan="off"))
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        headers = {"Authorization": f"Bearer {run.keys['ops']}"}
        async with (
            httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=60) as http,
            http.stream("GET", "/v1/stream") as news,
            http.stream("GET", "/v1/board/stream") as board,
        ):
            server.should_exit = True
            assert b"retry" in await news.aread()  # read to its end, which comes without being cut
            assert b"event: board" in await board.aread()
        async with asyncio.timeout(120):
            await task


SLOW_ROUTES = """
    window.routes_asked = 0;
    const line = window.fetch, slow = new Promise((done) => { window.answer_routes = done; });
    window.fetch = async (path, options) => {
      if (/\\/route($|[?])/.test(path)) { window.routes_asked += 1; await slow; }
      return line(path, options);
    };
    0"""


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
async def test_a_rider_carries_an_order_by_hand(tmp_path: Path) -> None:
    async with running(tmp_path / "ledger") as run, serving(run.app) as url, page() as tab:
        await with_city(run)
        await run.ops.put("/v1/stores/s1", json=STORE | {"enter_s": 0})  # nobody waits for the way to the counter
        items = [{"name": "Pizza", "quantity": 2}]
        body = order("o1", items=items, proof_of_delivery="pin", pin="4711")
        assert (await run.orders.post("/v1/deliveries", json=body)).status_code == 201
        await run.orders.post("/v1/deliveries/o1/ready")
        token = (await run.riders.post("/v1/riders/r1/token")).json()["token"]
        await tab.size(390, 844, mobile=True)
        await tab.open(f"{url}/rider#token={token}")
        title = "document.querySelector('#next h2')?.textContent"
        press = "[...document.querySelectorAll('#next button')].find((one) => one.textContent === '{}').click()"
        await tab.until(f"{title} === 's1'")
        await tab.js(press.format("I am here"))  # they may be told what to take only now
        await tab.until("document.querySelector('#next li')?.textContent.includes('2 × Pizza')")
        await tab.picture(tmp_path / "pickup.png")
        await tab.js(SLOW_ROUTES)
        await tab.js(press.format("Picked up"))
        await tab.until("routes_asked > 0")
        await tab.js("document.getElementById('break').click()")  # as any news: all is shown anew
        await tab.until("document.getElementById('duty').textContent === 'On a break'")
        assert await tab.js(title) != "s1", "what is done does not come back while the next route is on its way"
        await tab.js("answer_routes()")
        await tab.until(f"{title} === 'Canary Street 7'")
        await tab.js(press.format("I am here"))
        for pin, said in (("12", "Ask the customer for the PIN."), ("0815", "the customer's pin is wrong")):
            await tab.js(f"document.getElementById('pin').value = '{pin}'")
            await tab.js(press.format("Delivered"))
            await tab.until(f"document.querySelector('#next [role=alert]')?.textContent === {json.dumps(said)}")
            assert await tab.js(title) == "Canary Street 7", "the stop stays until it is done"
        tab.complaints.clear()  # the browser notes the refusal
        await tab.js("document.getElementById('pin').value = '4711'")
        await tab.js("document.getElementById('pin').focus()")
        await tab.js("document.getElementById('break').click()")
        await tab.until("document.getElementById('duty').textContent === 'On duty'")
        typed = "[document.activeElement?.id, document.getElementById('pin').value]"
        assert await tab.js(typed) == ["pin", "4711"], "what is being typed stays"
        await tab.picture(tmp_path / "drop.png")
        assert await tab.js("document.documentElement.scrollWidth") <= 390
        await tab.js(press.format("Delivered"))
        await run.until(lambda: _is_delivered(run))
        assert tab.complaints == []


async def _is_delivered(run: Running) -> bool:
    return bool((await run.orders.get("/v1/deliveries/o1")).json()["status"] == "delivered")
