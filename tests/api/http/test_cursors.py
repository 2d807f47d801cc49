"""Cursors know their ledger: one of another history, or of a time kept no longer, is gone and says how to go on."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.ledger.outbox import Notice
from api.ledger.sqlite.head import MARK
from api.ledger.sqlite.reader import FILE
from api.ledger.upkeep.maintenance import backup, restore
from api.outbox.cursors import event_cursor, page_cursor, spot_of
from halfhour.client import Client, CursorGone
from tests.kit.service.running import Running, order, running, with_city


async def create(run: Running, *names: str) -> None:
    for name in names:
        assert (await run.orders.post("/v1/deliveries", json=order(name))).status_code == 201


async def create_and_end(run: Running, *names: str, who: str = "orders") -> None:
    """Deliveries of which nothing more is said: no round can give them a reason to wait in the meantime."""
    for name in names:
        assert (await run.http[who].post("/v1/deliveries", json=order(name))).status_code == 201
        assert (await run.http[who].post(f"/v1/deliveries/{name}/cancel")).status_code == 200


async def read(run: Running, after: str, who: str = "orders") -> Any:
    return await run.http[who].get("/v1/events", params={"after": after})


def subjects(page: httpx.Response) -> list[str]:
    return [event["subject"] for event in page.json()["events"] if event["kind"] == "delivery.created"]


def test_a_cursor_says_what_it_was_made_of() -> None:
    notice = Notice(7, "evt_1", "a", "k", "s", 1, 0, {})
    spot = spot_of(event_cursor("0badcafe", notice))
    assert (spot.number, spot.epoch, len(spot.tag)) == (7, "0badcafe", 8)
    assert spot_of(page_cursor("0badcafe", 12)) == (12, "0badcafe", "")
    assert spot_of("42") == (42, "", "")


@pytest.mark.parametrize("put_back", ["restore", "copied files", "whole folder"])
def test_whoever_read_beyond_a_copy_hears_of_it_and_misses_nothing_new(tmp_path: Path, put_back: str) -> None:
    """By a restore, by copying the database back by hand, and by putting back a whole folder of files, mark and all."""
    city, copy = tmp_path / "city", tmp_path / "copy"

    async def go() -> None:
        async with running(city) as run:
            await with_city(run, riders=0)
            await create(run, "a1", "a2")
            behind_a1 = (await read(run, "0")).json()["events"][0]["cursor"]
        shutil.copytree(city, copy) if put_back == "whole folder" else backup(city, copy)
        async with running(city) as run:
            await create(run, *(f"lost{k}" for k in range(8)))
            beyond = (await read(run, "0")).json()["next"]
            page = (await run.orders.get("/v1/deliveries?limit=2")).json()["next"]
            assert subjects(await read(run, beyond)) == []
        shutil.rmtree(city)
        if put_back == "restore":
            restore(copy, city)
        else:
            shutil.copytree(copy, city)
            assert (city / MARK).exists() == (put_back == "whole folder") and (city / FILE).exists()
        async with running(city) as run:
            await create(run, *(f"new{k}" for k in range(20)))
            gone = await read(run, beyond)
            assert gone.status_code == 410 and gone.json()["code"] == "cursor_gone"
            assert "GET /v1/deliveries" in gone.json()["detail"]
            streamed = await run.orders.get("/v1/stream", headers={"Last-Event-ID": beyond})
            assert streamed.status_code == 410
            hook = (await run.orders.post("/v1/webhooks", json={"url": "https://example.com/hook"})).json()[
                "webhook_id"
            ]
            again = await run.orders.post(f"/v1/webhooks/{hook}/redeliver", json={"after": beyond})
            assert again.status_code == 410
            await create(run, "newest")
            assert subjects(await read(run, gone.json()["next"])) == ["acme.newest"]
            if put_back != "whole folder":  # there only what lies behind the copy differs
                assert (await read(run, behind_a1)).status_code == 410
                assert (await run.orders.get(f"/v1/deliveries?after={page}")).status_code == 410

    asyncio.run(go())


def test_a_restart_is_no_new_ledger(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            await create(run, "o1", "o2", "o3")
            first = (await read(run, "0")).json()
            page = (await run.orders.get("/v1/deliveries?limit=2")).json()["next"]
        async with running(tmp_path) as run:
            assert subjects(await read(run, first["events"][0]["cursor"])) == ["acme.o2", "acme.o3"]
            rest = (await run.orders.get(f"/v1/deliveries?limit=2&after={page}")).json()
            assert [one["external_delivery_id"] for one in rest["deliveries"]] == ["o1"]
            assert subjects(await read(run, first["next"])) == []

    asyncio.run(go())


def test_numbers_of_the_release_before_are_taken_as_far_as_there_are_events(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            await create(run, "o1", "o2")
            head = run.ledger.notice_head()
            assert subjects(await read(run, str(head - 1))) == ["acme.o2"]
            assert (await read(run, str(head + 1))).status_code == 410
            assert (await run.orders.get("/v1/deliveries?after=1")).json()["deliveries"][0]["delivery_id"] == "acme.o1"
            for nonsense in ("x", "-1", "0badcafe", "0badcafe-1-2-3", "9" * 16):
                assert (await read(run, nonsense)).status_code == 422, nonsense

    asyncio.run(go())


def test_events_that_are_kept_no_longer_are_missed_aloud_and_by_those_alone_whose_they_were(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            await create_and_end(run, "b1", who="other")
            theirs = (await read(run, "0", "other")).json()["events"][-1]["cursor"]
            await create_and_end(run, "o1", "o2", "o3")
            ours = (await read(run, "0")).json()["events"]
            run.ledger.forget(run.clock.now() + 60).result()
            await create(run, "o4")
            assert "acme.o2" in subjects(await read(run, ours[0]["cursor"])), "memory still has it"
            run.host.feed._recent.clear()
            assert (await read(run, ours[0]["cursor"])).status_code == 410, "o2 would be missed"
            assert subjects(await read(run, ours[-1]["cursor"])) == ["acme.o4"]
            assert subjects(await read(run, "0"))[-1:] == ["acme.o4"], "from the first that is kept"
            assert (await read(run, theirs, "other")).status_code == 200, "none of theirs came behind it"

    asyncio.run(go())


def gone_once(pages: list[dict[str, Any]]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        after = request.url.params.get("after") or request.headers.get("last-event-id")
        if after == "old":
            return httpx.Response(410, json={"code": "cursor_gone", "detail": "gone", "next": "now"})
        assert after == "now"
        if request.url.path == "/v1/stream":
            kind = {"Content-Type": "text/event-stream"}
            return httpx.Response(200, text='id: c\nevent: k\ndata: {"cursor": "c"}\n\n', headers=kind)
        return httpx.Response(200, json=pages.pop(0))

    return httpx.MockTransport(answer)


def test_the_client_reads_anew_and_goes_on_from_before(tmp_path: Path) -> None:
    read_anew: list[str] = []
    pages = [{"events": [{"cursor": "c"}], "next": "now"}, {"events": [], "next": "now"}]
    with Client("http://halfhour", "k", transport=gone_once(pages)) as halfhour:
        found = list(halfhour.events("old", follow=False, resync=lambda: read_anew.append("all")))
        assert found == [{"cursor": "c"}] and read_anew == ["all"]
        assert next(halfhour.stream("old", resync=lambda: read_anew.append("all"))) == {"cursor": "c"}
        with pytest.raises(CursorGone) as gone:
            next(halfhour.stream("old"))
        assert gone.value.next == "now" and read_anew == ["all", "all"]
