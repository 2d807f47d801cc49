"""Senders that share receivers: each receiver with one of them at a time, and none left behind by one that dies."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from api.ledger.outbox import Tried, Webhook
from api.ledger.protocol import Write
from api.outbox.webhook_request import Post, ReceiverAnswer
from api.outbox.webhook_sender import Sender
from api.outbox.webhooks import enabled
from tests.kit.service.postgres import Server, fresh, holding
from tests.kit.service.receivers import numbers
from tests.kit.service.stores import notice

psycopg = pytest.importorskip("psycopg", reason="needs psycopg: pip install 'halfhour[postgres]'")

RECEIVERS, NOTICES, RECEIVERS_AT_ONCE = 12, 30, 16
LONGEST_S = 120.0


def hook(k: int) -> Webhook:
    return Webhook(f"wh{k}", "acme", f"https://{k}.example.org/in", ("whsec_c2VjcmV0",), created_at=k)


def outbox(url: str, name: str, market: str | None = None) -> Any:
    from api.ledger.postgres.connection import where
    from api.ledger.postgres.outbox import PostgresOutbox

    return PostgresOutbox(where(url), name, market, claim_s=LONGEST_S)


def run_out(url: str, *names: str) -> None:
    """What these senders have claimed has run out, as time does it."""
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(
            "UPDATE halfhour.webhooks SET claimed_until = clock_timestamp() WHERE claimed_by = ANY(%s)", (list(names),)
        )


@pytest.fixture
def url(postgres: Server) -> str:
    return fresh(postgres, "unused").partition("#")[0]


@pytest.fixture
def markets(url: str) -> Iterator[list[Any]]:
    """Two markets whose receivers have something due, the ids of their webhooks the same."""
    made = [holding(f"{url}#{name}", ttl_s=60.0) for name in ("munich", "porto")]
    for ledger in made:
        ledger.append(Write(webhooks=[hook(k) for k in range(RECEIVERS)])).result()
        ledger.append(Write(notices=[notice(seq) for seq in range(1, NOTICES + 1)])).result()
    yield made
    for ledger in made:
        ledger.close()


class Watched(Post):
    """A receiver that knows who is sending to it now."""

    def __init__(self, name: str, sender: str, world: World) -> None:
        super().__init__(name, clock=time.time, resolve=numbers)
        self.name, self.sender, self.world = name, sender, world

    async def send(self, secrets: Iterable[str], message_id: str, body: bytes) -> ReceiverAnswer:
        here = self.world.sending.setdefault(self.name, Counter())
        here[self.sender] += 1
        if len(+here) > 1:
            self.world.at_once.append((self.name, sorted(+here)))
        try:
            await asyncio.sleep(0.002)
        finally:
            here[self.sender] -= 1
        self.world.got[self.name, message_id] += 1
        return ReceiverAnswer(204)


class World:
    """Senders of one database, as on hosts of their own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sending: dict[str, Counter[str]] = {}
        self.at_once: list[Any] = []
        self.got: Counter[tuple[str, str]] = Counter()
        self.by: Counter[str] = Counter()
        self.outboxes: list[Any] = []

    def sender(self, name: str) -> Sender:
        box = outbox(self.url, name)
        self.outboxes.append(box)

        def post(claimed: Webhook) -> Post:
            self.by[name] += 1
            return Watched(claimed.webhook_id, name, self)

        made = Sender(box, post=post, render=lambda epoch, told: b"{}", clock=time.time)
        made.start()
        return made

    def close(self) -> None:
        for box in self.outboxes:
            box.close()


@pytest.mark.usefixtures("markets")
def test_three_senders_share_all_receivers_and_none_is_sent_to_twice_at_once(url: str) -> None:
    world = World(url)
    wanted = 2 * RECEIVERS * NOTICES

    async def work() -> None:
        senders = [world.sender(name) for name in "abc"]
        async with asyncio.timeout(LONGEST_S):
            while len(world.got) < wanted // 4:
                await asyncio.sleep(0.01)
            await senders[0].close()  # what it had claimed it never lets go
            while len(world.got) < wanted:
                run_out(url, "a")
                await asyncio.sleep(0.05)
        for sender in senders[1:]:
            await sender.close()

    asyncio.run(work())
    world.close()
    assert len(world.got) == wanted and len(world.by) >= 2, "all are sent, by those that are left"
    assert sum(world.got.values()) <= wanted + 8 * RECEIVERS_AT_ONCE, "but for what it had in hand"
    assert world.at_once == []
    assert {name.partition("/")[0] for name, _ in world.got} == {"munich", "porto"}


@pytest.mark.usefixtures("markets")
def test_while_claims_last_nothing_is_sent_twice_and_no_receiver_hears_two_at_once(url: str) -> None:
    world = World(url)
    wanted = 2 * RECEIVERS * NOTICES

    async def work() -> None:
        senders = [world.sender(name) for name in "abc"]
        async with asyncio.timeout(LONGEST_S):
            while len(world.got) < wanted:
                await asyncio.sleep(0.01)
        for sender in senders:
            await sender.close()

    asyncio.run(work())
    world.close()
    assert world.at_once == [] and set(world.got.values()) == {1}


def test_a_claim_waits_for_nobody_and_takes_nothing_of_others(url: str, markets: list[Any]) -> None:
    now = int(time.time())
    one, other = outbox(url, "one"), outbox(url, "other")
    with psycopg.connect(url) as database:  # somebody is writing this receiver's row
        database.execute("SELECT * FROM halfhour.webhooks WHERE market = 'munich' AND webhook_id = 'wh0' FOR UPDATE")
        first = {claimed.webhook.webhook_id for claimed in one.claim(now)}
        second = {claimed.webhook.webhook_id for claimed in other.claim(now)}
    assert first and second and not first & second and len(first | second) == 2 * RECEIVERS - 1
    assert "munich/wh0" not in first | second
    assert one.keep(sorted(first | second)) == first, "what others have is not ours to keep"
    run_out(url, "one", "other")
    assert not {claimed.webhook.webhook_id for claimed in other.claim(now, skip=first)} & first
    taken = {claimed.webhook.webhook_id for claimed in other.claim(now, skip=second)}
    assert first & taken and one.keep(sorted(first)) == first - taken
    markets[0].delete_webhook("wh1").result()
    assert "munich/wh1" not in one.keep(sorted(first)) | other.keep(sorted(first | second))
    one.close()
    other.close()


def test_what_one_sender_has_seen_the_next_one_knows(url: str, markets: list[Any]) -> None:
    now = int(time.time())
    one, other = outbox(url, "one", "munich"), outbox(url, "other", "munich")
    claimed = next(found for found in one.claim(now) if found.webhook.webhook_id == "wh3")
    assert claimed.epoch == markets[0].identity.epoch and [due.notice.seq for due in claimed.dues][:2] == [1, 2]
    counts = {"sent": 2, "failed": 7}
    seen = {"attempts": [], "failed": None, "sent_at": 5}
    one.settle(claimed.dues[:1], [claimed.dues[1]._replace(attempts=1, due_at=now + 900)]).result()
    one.let_go(Tried(claimed.webhook, 7, "", 3600.0, counts, seen)).result()
    assert other.seen("wh3") == seen and markets[0].seen("wh3") == seen
    assert markets[0].tries() == {"sent": 2, "failed": 7, "given_up": 0, "disabled": 0}
    assert _found(other, now, "wh3") is None, "it rests, whoever asks"
    kept = next(found for found in markets[0].webhooks() if found.webhook_id == "wh3")
    assert kept.failures == 7
    markets[0].save_webhook(replace(kept, url="https://elsewhere.example.org/")).result()
    found = _found(other, now, "wh3")
    assert found is not None and found.webhook.failures == 7 and found.seen == seen, "not at its new address"
    assert [due.notice.seq for due in found.dues][:2] == [3, 4]
    other.let_go(Tried(found.webhook, 8, "", 3600.0, {}, seen)).result()
    markets[0].save_webhook(enabled(replace(kept, url="https://elsewhere.example.org/"))).result()
    found = _found(other, now, "wh3")
    assert found is not None, "nor once it is enabled anew"
    other.let_go(Tried(found.webhook, 300, "failing", 0.0, {"disabled": 1}, seen)).result()
    last = next(one for one in markets[0].webhooks() if one.webhook_id == "wh3")
    assert not last.enabled and last.disabled_reason == "failing" and _found(other, now, "wh3") is None
    one.close()
    other.close()


def _found(box: Any, now: int, name: str) -> Any:
    return next((claimed for claimed in box.claim(now) if claimed.webhook.webhook_id == name), None)


def test_who_has_changed_a_webhook_meanwhile_is_not_overruled(url: str, markets: list[Any]) -> None:
    box = outbox(url, "one", "munich")
    claimed = _found(box, int(time.time()), "wh5")
    markets[0].save_webhook(replace(claimed.webhook, failures=3, kinds=("delivery.created",))).result()
    box.let_go(Tried(claimed.webhook, 300, "failing", 0.0, {}, {})).result()
    kept = next(one for one in markets[0].webhooks() if one.webhook_id == "wh5")
    assert kept.enabled and kept.failures == 3 and kept.kinds == ("delivery.created",)
    box.close()
