"""The sender of webhooks against receivers that are away, slow, or misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest

from api.common.errors import NotFound
from api.ledger.outbox import Due, Webhook
from api.outbox.webhook_request import Post, ReceiverAnswer
from api.outbox.webhook_sender import MOST_FAILURES, MOST_TRIES, retry_wait_s
from api.outbox.webhook_signature import new_secret, verify
from api.outbox.webhooks import Webhooks, enabled, rotated
from tests.kit.service.receivers import (
    NOW,
    Box,
    Scripted,
    World,
    floods,
    never,
    numbers,
    one_request,
    one_webhook,
    receiver,
)

pytestmark = pytest.mark.anyio


# --- the sender -----------------------------------------------------------------------------------------------------


async def test_everything_due_goes_once() -> None:
    box = Box(one_webhook("w"))
    world = World(box, lambda message: ReceiverAnswer(200))
    box.add(450)
    await world.work()
    assert sorted(world.post.got) == sorted(f"evt_{seq}" for seq in range(1, 451))
    assert box.left("w") == [] and world.sender.counts["sent"] == 450


async def test_an_hour_of_outage_loses_nothing_and_is_probed_gently() -> None:
    box = Box(one_webhook("w"))
    box.add(1000)
    world = World(box, lambda message: ReceiverAnswer(200 if world.now >= NOW + 3600 else 503))
    await world.until(NOW + 3600, 5)
    assert len(world.post.got) < 60 and len(box.left("w")) == 1000
    await world.until(NOW + 2 * 3600, 60)
    assert box.left("w") == []
    assert box.kept["w"].enabled


async def test_a_notice_is_given_up_after_a_day_while_others_go_on() -> None:
    box = Box(one_webhook("w"))
    box.add(1)
    world = World(box, lambda message: ReceiverAnswer(400 if message == "evt_1" else 200))
    tries_at = []
    while box.left("w"):
        before = len(world.post.got)
        await world.work()
        if len(world.post.got) > before:
            tries_at.append(world.now - NOW)
        world.now += 5
        world.sender._lines["w"].failures = 0  # other notices go well in between
    assert len(tries_at) == MOST_TRIES and world.sender.counts["given_up"] == 1
    assert 23 * 3600 < tries_at[-1] < 25 * 3600
    assert tries_at[:4] == [0, 5, 35, 155]  # waits of 5, 30 and 120 s at the middle of the jitter


def test_waits_are_spread_by_the_jitter() -> None:
    assert [retry_wait_s(3, jitter) for jitter in (0.0, 0.5, 0.999)] == [480, 600, 720]
    assert retry_wait_s(99, 0.5) == 7200


async def test_a_receiver_that_fails_300_times_in_a_row_is_disabled_until_its_owner_enables_it() -> None:
    box = Box(one_webhook("w"))
    world = World(box, lambda message: ReceiverAnswer(500))
    for _ in range(3000):
        if not box.kept["w"].enabled:
            break
        box.add(1)
        await world.work()
        world.now += 600
    assert (box.kept["w"].enabled, box.kept["w"].disabled_reason) == (False, "failing")
    assert len(world.post.got) == MOST_FAILURES
    world.post.says = lambda message: ReceiverAnswer(200)
    await world.sender.change("w", enabled)
    await world.work()
    world.now += 3 * 3600
    await world.work()
    assert box.left("w") == []


async def test_410_disables_at_once_and_success_forgets_failures() -> None:
    box = Box(one_webhook("w"))
    box.add(1)
    world = World(box, lambda message: ReceiverAnswer(410))
    await world.work()
    assert box.kept["w"].disabled_reason == "gone" and len(box.left("w")) == 1
    with pytest.raises(NotFound):
        await world.sender.change("nobody", enabled)


async def test_retry_after_is_heeded_up_to_a_bound() -> None:
    box = Box(one_webhook("w"))
    box.add(1)
    world = World(box, lambda message: ReceiverAnswer(429, "", 900))
    await world.work()
    assert box.dues["w", 1].due_at == NOW + 900
    world.post.says = lambda message: ReceiverAnswer(429, "", 10**7)
    world.now = NOW + 900.0
    await world.work()
    assert box.dues["w", 1].due_at == NOW + 900 + 7200


async def test_a_receiver_that_asks_for_rest_gets_it_whole() -> None:
    box = Box(one_webhook("w"))
    box.add(50)
    world = World(box, lambda message: ReceiverAnswer(429, "", 1800) if world.now < NOW + 3600 else ReceiverAnswer(200))
    tries: list[int] = []
    while world.now < NOW + 3600:
        await world.work()
        tries.append(len(world.post.got))
        world.now += 30
    assert tries[0] == 8 and tries[-1] == 9  # eight at once before it has said anything, then one after half an hour
    for _ in range(10):
        await world.work()
        world.now += 1800
    assert box.left("w") == []


async def test_no_receiver_waits_for_another() -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    async def good(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await one_request(reader))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()

    secret = new_secret()
    async with receiver(never) as slow_url, receiver(floods) as flood_url, receiver(good) as good_url:
        box = Box(one_webhook("slow", slow_url), one_webhook("flood", flood_url), one_webhook("good", good_url, secret))
        box.add(300)
        sender = Webhooks(
            box,
            post=lambda hook: Post(hook.url, clock=lambda: NOW, resolve=numbers, development=True, timeout_s=300.0),
            render=lambda epoch, notice: f'{{"id":"{notice.event_id}"}}'.encode(),
            clock=lambda: NOW,
        )
        sender.start()
        async with asyncio.timeout(120):
            while box.left("good"):
                await asyncio.sleep(0.01)
        assert len(box.left("slow")) == 300  # still hanging on its first requests
        await sender.close()
    assert len(got) == 300
    for headers, body in got:
        assert verify([secret], headers, body, now=NOW) in body.decode()


async def test_an_outbox_that_fails_now_is_read_again() -> None:
    box = Box(one_webhook("w"))
    box.add(1)
    calls = 0
    claim = box.claim_due

    def failing(now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Due]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError("disk")
        return claim(now, limit=limit, skip=skip)

    box.claim_due = failing  # type: ignore[method-assign]
    world = World(box, lambda message: ReceiverAnswer(200))
    world.sender.start()
    async with asyncio.timeout(120):
        while box.left("w"):
            world.sender.notify()
            await asyncio.sleep(0.01)
    await world.sender.close()
    assert calls >= 2


async def test_rotation_keeps_two_secrets_and_a_change_of_url_is_followed() -> None:
    webhook = one_webhook("w", secret="whsec_b25l")
    assert rotated(rotated(webhook, "whsec_dHdv"), "whsec_dGhyZWU=").secrets == ("whsec_dGhyZWU=", "whsec_dHdv")
    box = Box(webhook)
    made: list[str] = []

    def post(hook: Webhook) -> Post:
        made.append(hook.url)
        scripted = Scripted(lambda message: ReceiverAnswer(200))
        scripted.url = hook.url
        return scripted

    sender = Webhooks(box, post=post, render=lambda epoch, notice: b"{}", clock=lambda: NOW)
    for url in ("https://example.com/", "https://example.org/"):
        await sender.change("w", lambda kept, url=url: replace(kept, url=url))
        box.add(1)
        await sender._start_tasks()
        await asyncio.gather(*sender._tasks)
    assert made == ["https://example.com/", "https://example.org/"]
