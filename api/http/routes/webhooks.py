"""`/v1/webhooks`: where a tenant wants its notices sent."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import ConfigDict, Field

from api.access.rate_limits import Meter
from api.access.rules import Caller, Scope, access, owned
from api.http.commands import Command, Remember, Reply, Running, Service, command
from api.http.problems import problems
from api.http.schemas.base import RequestBody, Shown
from api.http.schemas.base import instant_of as instant
from api.http.schemas.values import ruled
from api.http.transport.door import Door
from api.ledger.outbox import Webhook
from api.ledger.protocol import OPERATOR, StoredReply, Write
from api.outbox.cursors import BEGIN, CURSOR
from api.outbox.event_kinds import KINDS, OF_DELIVERIES
from api.outbox.webhook_addresses import check_url, pin
from api.outbox.webhook_receivers import Attempt, Tries
from api.outbox.webhook_signature import new_secret
from api.outbox.webhooks import Webhooks, enabled, rotated
from routing.errors import InvalidInput

__all__ = ["router"]

MOST_WEBHOOKS = 20
"""Webhooks of one tenant."""

router = APIRouter(tags=["webhooks"], route_class=Door)
Kind = Annotated[str, ruled(r"^[a-z_]{1,32}\.[a-z_]{1,32}$", "must be a kind of event", "delivery.delivered")]
Cursor = Annotated[str, ruled(CURSOR, "must be a cursor as events carry it", BEGIN)]
WebhookId = Annotated[str, Path(pattern=r"^wh_[0-9a-f]{32}$", examples=["wh_" + "0" * 32])]
Url = Annotated[str, Field(min_length=1, max_length=2048, examples=["https://example.com/halfhour"])]
Asker = Annotated[Caller, access(Scope.ORDERS, Scope.OPS)]
Writer = Annotated[Caller, access(Scope.ORDERS, Scope.OPS, meter=Meter.WRITE)]
WebhookCommand = Annotated[Command, command(Writer)]


class WebhookBody(RequestBody):
    """Where to send notices, and which; all kinds, if none is named."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url": "https://example.com/halfhour", "kinds": ["delivery.delivered"]}]},
    )

    url: Url
    kinds: Annotated[list[Kind], Field(max_length=50, default_factory=list)]


class WebhookPatch(RequestBody):
    """What is to be different; `enabled: true` also forgets failures."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"enabled": True}]})

    url: Url | None = None
    kinds: Annotated[list[Kind], Field(max_length=50)] | None = None
    enabled: Annotated[bool, Field(strict=True)] | None = None


class RedeliverBody(RequestBody):
    """Everything after this cursor goes out again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"after": "0"}]})

    after: Cursor


class WebhookShown(Shown):
    """A webhook as of now."""

    webhook_id: str
    url: str
    kinds: list[str]
    enabled: bool
    disabled_reason: str | None = Field(None, description="`failing` or `gone`, where we disabled it.")
    failures: int = Field(description="Failures in a row.")
    last_error: str | None = Field(None, description="How the last failed try ended, since the service started.")
    last_error_at: datetime | None = None
    last_sent_at: datetime | None = Field(None, description="When the receiver last took something, since then.")
    created_at: datetime
    secret: str | None = Field(None, description="Told once: when the webhook is made or its secret rotated.")


class WebhookList(Shown):
    """The caller's webhooks."""

    webhooks: list[WebhookShown]


class AttemptShown(Shown):
    """One try to send an event."""

    at: datetime
    event_id: str
    kind: str
    attempt: int = Field(description="Tries of this event so far, this one among them.")
    taken: bool
    status: int | None = Field(description="What the receiver answered; null where it did not.")
    error: str | None
    lasted_ms: int


class AttemptList(Shown):
    """Tries, the newest first."""

    attempts: list[AttemptShown]


def _sender(service: Running) -> Webhooks:
    return service.webhooks


Sender = Annotated[Webhooks, Depends(_sender)]


def _shown(webhook: Webhook, *, tries: Tries | None = None, secret: str | None = None) -> WebhookShown:
    failed = tries.failed if tries is not None else None
    return WebhookShown(
        webhook_id=webhook.webhook_id,
        url=webhook.url,
        kinds=list(webhook.kinds),
        enabled=webhook.enabled,
        disabled_reason=webhook.disabled_reason or None,
        failures=tries.failures if tries is not None else webhook.failures,
        last_error=failed.error if failed is not None else None,
        last_error_at=instant(failed.at if failed is not None else None),
        last_sent_at=instant(tries.sent_at if tries is not None else None),
        created_at=instant(webhook.created_at),  # type: ignore[arg-type]
        secret=secret,
    )


async def _found(service: Running, caller: Caller, webhook_id: str) -> Webhook:
    all_of_them: list[Webhook] = await service.host.asked(service.ledger.webhooks)
    webhook = next((one for one in all_of_them if one.webhook_id == webhook_id), None)
    owned(caller, None if webhook is None else webhook.tenant, code="unknown_webhook", id=webhook_id)
    assert webhook is not None
    return webhook


def _tenant(caller: Caller) -> str:
    return OPERATOR if caller.sees_all else caller.tenant


def _tried(attempt: Attempt) -> AttemptShown:
    return AttemptShown(
        at=instant(attempt.at),  # type: ignore[arg-type]
        event_id=attempt.event_id,
        kind=attempt.kind,
        attempt=attempt.number,
        taken=not attempt.error,
        status=attempt.status,
        error=attempt.error or None,
        lasted_ms=round(attempt.lasted_s * 1000),
    )


def _check_kinds(caller: Caller, kinds: list[str]) -> None:
    """Raises InvalidInput for a kind that never goes out to this caller: nobody should wait for it."""
    known = KINDS if caller.sees_all else OF_DELIVERIES
    unknown = next((kind for kind in kinds if kind not in known), None)
    if unknown is not None:
        raise InvalidInput(
            f"no event of the kind {unknown!r} goes out to this key", code="validation_failed", field="kinds",
            hint="docs/events.md lists all kinds.", known=list(known),
        )  # fmt: skip


async def _check_target(sender: Webhooks, tenant: str, url: str) -> None:
    """Raises UnsafeTarget where we would never call this address; a name that nobody knows yet may become known."""
    check_url(url, development=sender.development)
    try:
        await pin(url, sender.names.of(tenant), development=sender.development)
    except (OSError, TimeoutError, UnicodeError):
        return


@router.post(
    "/v1/webhooks", summary="Create a webhook", status_code=201, response_model=WebhookShown, responses=problems(409)
)
async def add_webhook(command: WebhookCommand, body: WebhookBody, sender: Sender) -> Response:
    """Registers a receiver.  The answer holds the secret that signs what is sent to it."""
    _check_kinds(command.caller, body.kinds)
    await _check_target(sender, command.caller.tenant, body.url)

    async def do(remember: Remember) -> Reply:
        tenant = _tenant(command.caller)
        if len(await command.service.host.asked(command.service.ledger.webhooks, tenant)) >= MOST_WEBHOOKS:
            raise InvalidInput(f"a tenant has at most {MOST_WEBHOOKS} webhooks", code="limit_reached")
        made = Webhook(
            f"wh_{uuid.uuid4().hex}", tenant, body.url, (new_secret(),), tuple(dict.fromkeys(body.kinds)),
            created_at=command.service.host.clock.now(),
        )  # fmt: skip
        reply = Reply(201, _shown(made, secret=made.secrets[0]).model_dump_json())
        await command.service.host.write(
            Write(webhooks=(made,), answers=(remember(reply),) if remember is not None else ())
        )
        sender.notify()
        return reply

    return await command.once(do, lambda answer: _with_secret(command.service, answer))


def _with_secret(service: Service, answer: StoredReply) -> Reply:
    """A kept answer with the secret again, which lives with the webhook alone: until it is rotated or deleted."""
    kept = json.loads(answer.body)
    hook = next((one for one in service.ledger.webhooks() if one.webhook_id == kept.get("webhook_id")), None)
    if "webhook_id" not in kept:
        return Reply(answer.status, answer.body)
    secret = hook.secrets[0] if hook is not None and len(hook.secrets) == 1 else None
    return Reply(answer.status, WebhookShown(**kept | {"secret": secret}).model_dump_json())


@router.get("/v1/webhooks", summary="List webhooks", response_model=WebhookList, responses=problems())
async def list_webhooks(service: Running, sender: Sender, caller: Asker) -> Any:
    """Every webhook of the caller."""
    found = await service.host.asked(service.ledger.webhooks, _tenant(caller))
    return WebhookList(webhooks=[_shown(one, tries=await sender.tries(one)) for one in found])


@router.get("/v1/webhooks/{webhook_id}", summary="Get a webhook", response_model=WebhookShown, responses=problems())
async def get_webhook(webhook_id: WebhookId, service: Running, sender: Sender, caller: Asker) -> Any:
    """One webhook, and how it goes."""
    found = await _found(service, caller, webhook_id)
    return _shown(found, tries=await sender.tries(found))


@router.get(
    "/v1/webhooks/{webhook_id}/attempts",
    summary="List a webhook's attempts",
    response_model=AttemptList,
    responses=problems(),
)
async def list_attempts(webhook_id: WebhookId, service: Running, sender: Sender, caller: Asker) -> Any:
    """The last hundred tries since the service started, the newest first."""
    found = await sender.tries(await _found(service, caller, webhook_id))
    return AttemptList(attempts=[_tried(one) for one in reversed(found.attempts)])


@router.post(
    "/v1/webhooks/{webhook_id}/test", summary="Test a webhook", response_model=AttemptShown, responses=problems()
)
async def test_webhook(webhook_id: WebhookId, service: Running, sender: Sender, caller: Writer) -> Any:
    """Sends one signed message of the kind `webhook.test` now, and answers how that ended."""
    return _tried(await sender.test(await _found(service, caller, webhook_id)))


@router.patch(
    "/v1/webhooks/{webhook_id}", summary="Change a webhook", response_model=WebhookShown, responses=problems()
)
async def change_webhook(
    webhook_id: WebhookId, body: WebhookPatch, service: Running, sender: Sender, caller: Writer
) -> Any:
    """Changes address or kinds; disables it, or enables it again."""
    await _found(service, caller, webhook_id)
    _check_kinds(caller, body.kinds or [])
    if body.url is not None:
        await _check_target(sender, caller.tenant, body.url)

    def changed(webhook: Webhook) -> Webhook:
        if body.url is not None:
            webhook = replace(webhook, url=body.url)
        if body.kinds is not None:
            webhook = replace(webhook, kinds=tuple(dict.fromkeys(body.kinds)))
        if body.enabled is not None:
            webhook = enabled(webhook) if body.enabled else replace(webhook, enabled=False, disabled_reason="")
        return webhook

    now = await sender.change(webhook_id, changed)
    return _shown(now, tries=await sender.tries(now))


@router.delete("/v1/webhooks/{webhook_id}", summary="Delete a webhook", status_code=204, responses=problems())
async def delete_webhook(webhook_id: WebhookId, service: Running, caller: Writer) -> Response:
    """Forgets a webhook and all that is due to it."""
    await _found(service, caller, webhook_id)
    await asyncio.wrap_future(service.ledger.delete_webhook(webhook_id))
    return Response(status_code=204)


@router.post(
    "/v1/webhooks/{webhook_id}/rotate",
    summary="Rotate a webhook's secret",
    response_model=WebhookShown,
    responses=problems(),
)
async def rotate_secret(webhook_id: WebhookId, service: Running, sender: Sender, caller: Writer) -> Any:
    """A new secret; the one before signs beside it until the next rotation."""
    await _found(service, caller, webhook_id)
    changed = await sender.change(webhook_id, rotated)
    return _shown(changed, tries=await sender.tries(changed), secret=changed.secrets[0])


@router.post(
    "/v1/webhooks/{webhook_id}/redeliver",
    summary="Redeliver events",
    response_model=WebhookShown,
    responses=problems(410),
)
async def redeliver(
    webhook_id: WebhookId, body: RedeliverBody, service: Running, sender: Sender, caller: Writer
) -> Any:
    """Sends every kept notice after a cursor again."""
    webhook = await _found(service, caller, webhook_id)
    after = await service.host.feed.number_of(body.after, {webhook.tenant})
    await asyncio.wrap_future(service.ledger.redeliver(webhook_id, after, service.host.clock.now()))
    sender.notify()
    return _shown(webhook, tries=await sender.tries(webhook))
