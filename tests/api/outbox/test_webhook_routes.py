"""Webhooks over HTTP: made, tried, looked at, and what a tenant hears by them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from api.outbox.webhook_signature import verify
from tests.kit.service.receivers import (
    one_request,
    receiver,
)
from tests.kit.service.running import order, running, with_city

pytestmark = pytest.mark.anyio


async def test_a_webhook_that_would_never_hear_anything_is_refused_when_it_is_made(tmp_path: Path) -> None:
    public = {"good.example": ["93.184.216.34"], "inside.example": ["93.184.216.34", "10.0.0.7"]}
    async with running(tmp_path, development=False) as run:
        run.app.state.application.webhooks.names._find = lambda host, port: public.get(host) or _unknown(host)

        async def made(client: httpx.AsyncClient, **body: object) -> tuple[int, str, str]:
            answer = (await client.post("/v1/webhooks", json=body)).json()
            errors = answer.get("field_errors") or [{}]
            return answer.get("status", 201), answer.get("code", ""), errors[0].get("field")

        good = "https://good.example/"
        assert await made(run.orders, url=good, kinds=["delivery.foo"]) == (422, "validation_failed", "kinds")
        assert await made(run.orders, url=good, kinds=["rider.lost"]) == (422, "validation_failed", "kinds")
        for url in (
            "https://inside.example/",
            "https://10.1.2.3/",
            "https://169.254.169.254/",
            "https://good.example:22/",
        ):
            assert (await made(run.orders, url=url))[1:] == ("unsafe_target", "url")
        assert (await made(run.orders, url="https://later.example/", kinds=["delivery.delivered"]))[0] == 201
        assert (await made(run.ops, url=good, kinds=["rider.lost"]))[0] == 201
        hook = (await run.orders.get("/v1/webhooks")).json()["webhooks"][0]["webhook_id"]
        for change in ({"url": "https://inside.example/"}, {"kinds": ["delivery.foo"]}):
            assert (await run.orders.patch(f"/v1/webhooks/{hook}", json=change)).status_code == 422


def _unknown(host: str) -> list[str]:
    raise OSError(host)


async def test_a_test_call_and_every_try_can_be_looked_at(tmp_path: Path) -> None:
    status = b"503 Busy"

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await one_request(reader)
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with running(tmp_path) as run, receiver(answers) as url:
        await with_city(run)
        hook = (await run.orders.post("/v1/webhooks", json={"url": url})).json()["webhook_id"]
        tested = (await run.orders.post(f"/v1/webhooks/{hook}/test")).json()
        assert (tested["kind"], tested["taken"], tested["status"], tested["error"]) == (
            "webhook.test", False, 503, "answered 503",
        )  # fmt: skip
        seen = (await run.orders.get(f"/v1/webhooks/{hook}")).json()
        assert (seen["failures"], seen["last_error"]) == (0, None)  # a test counts for nothing
        await run.orders.post("/v1/deliveries", json=order("o1"))

        async def failed() -> dict[str, object] | None:
            found = (await run.orders.get(f"/v1/webhooks/{hook}")).json()
            return found if found["failures"] else None

        seen = await run.until(failed)
        assert (seen["last_error"], seen["last_sent_at"]) == ("answered 503", None) and seen["last_error_at"]
        tries = (await run.orders.get(f"/v1/webhooks/{hook}/attempts")).json()["attempts"]
        assert [one["kind"] for one in tries][-2:] == ["delivery.created", "webhook.test"]
        assert tries[-2]["attempt"] == 1 and tries[-2]["lasted_ms"] >= 0
        status = b"204 OK"
        assert (await run.orders.post(f"/v1/webhooks/{hook}/test")).json()["taken"] is True
        assert (await run.other.post(f"/v1/webhooks/{hook}/test")).status_code == 404
        assert (await run.other.get(f"/v1/webhooks/{hook}/attempts")).status_code == 404


async def test_a_tenant_gets_what_happens_to_its_deliveries_signed_once_and_again_on_request(tmp_path: Path) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    async def good(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await one_request(reader))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with running(tmp_path) as run, receiver(good) as url:
        await with_city(run)
        body = {"url": url, "kinds": ["delivery.created", "delivery.cancelled"]}
        key = {"Idempotency-Key": "hook"}
        hook = (await run.orders.post("/v1/webhooks", json=body, headers=key)).json()
        again = await run.orders.post("/v1/webhooks", json=body, headers=key)
        assert again.json() == hook and again.headers["idempotent-replayed"] == "true"
        assert (await run.orders.get(f"/v1/webhooks/{hook['webhook_id']}")).json()["secret"] is None
        for name in ("o1", "o2"):
            await run.orders.post("/v1/deliveries", json=order(name))
        await run.other.post("/v1/deliveries", json=order("foreign"))
        await run.orders.post("/v1/deliveries/o1/cancel", json={})
        await run.until(lambda: len(got) >= 3)

        def said() -> list[tuple[str, str]]:
            events = [json.loads(body) for _, body in got]
            return sorted((event["kind"], event["data"]["external_delivery_id"]) for event in events)

        first = [("delivery.cancelled", "o1"), ("delivery.created", "o1"), ("delivery.created", "o2")]
        assert said() == first
        for headers, sent in got:
            now = int(headers["webhook-timestamp"])
            assert verify([hook["secret"]], headers, sent, now=now) == json.loads(sent)["id"]
            assert b"Canary" not in sent and b"+49151" not in sent

        path = f"/v1/webhooks/{hook['webhook_id']}"
        new = (await run.orders.post(f"{path}/rotate")).json()["secret"]
        await run.orders.post(f"{path}/redeliver", json={"after": "0"})
        await run.until(lambda: len(got) >= 6)
        assert said() == sorted(first * 2)
        headers, sent = got[-1]
        for secret in (new, hook["secret"]):
            assert verify([secret], headers, sent, now=int(headers["webhook-timestamp"]))

        await run.orders.patch(path, json={"enabled": False})
        await run.orders.post("/v1/deliveries", json=order("o3"))
        assert (await run.orders.delete(path)).status_code == 204
        assert (await run.orders.get(path)).status_code == 404
        assert len(got) == 6


async def test_a_webhook_made_again_with_its_key_is_the_same_with_its_secret(tmp_path: Path) -> None:
    key, body = {"Idempotency-Key": "w"}, {"url": "https://example.com/h"}
    async with running(tmp_path) as run:
        first = (await run.orders.post("/v1/webhooks", json=body, headers=key)).json()
        assert first["secret"] not in str(run.ledger.answer("acme", "POST /v1/webhooks", "w"))
    async with running(tmp_path) as run:
        again = await run.orders.post("/v1/webhooks", json=body, headers=key)
        assert again.status_code == 201 and again.json() == first, "an answer lost on the way is not lost for good"
        assert len((await run.orders.get("/v1/webhooks")).json()["webhooks"]) == 1
        await run.orders.post(f"/v1/webhooks/{first['webhook_id']}/rotate")
        rotated = (await run.orders.post("/v1/webhooks", json=body, headers=key)).json()
        assert rotated == first | {"secret": None}, "a secret of later is told to who has rotated, not to an old key"
        await run.orders.delete(f"/v1/webhooks/{first['webhook_id']}")
        assert (await run.orders.post("/v1/webhooks", json=body, headers=key)).json()["secret"] is None


async def test_a_webhook_that_is_no_public_address_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, development=False) as run:
        for url in ("http://example.com/", "https://user:pw@example.com/", "http://127.0.0.1/"):
            answer = await run.orders.post("/v1/webhooks", json={"url": url})
            assert (answer.status_code, answer.json()["code"]) == (422, "unsafe_target"), url
        answers = [await run.orders.post("/v1/webhooks", json={"url": f"https://e.com/{k}"}) for k in range(21)]
        assert [answer.status_code for answer in answers] == [201] * 20 + [422]
        assert answers[-1].json()["code"] == "limit_reached"
