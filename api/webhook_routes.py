"""`/v1/webhooks`: where a tenant wants its notices sent."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import ConfigDict, Field

from api.auth import Caller, Scope, access, owned
from api.door import Door
from api.faults import problems
from api.ledger.protocol import OPERATOR, Answer, Webhook, Write
from api.limits import Meter
from api.service import IdempotencyKey, Keep, Reply, Running, Service
from api.signing import new_secret
from api.targets import check_url
from api.webhooks import Webhooks, enabled, rotated
from api.wire import Body, Shown, instant
from routing.errors import InvalidInput

__all__ = ["router"]

MOST_WEBHOOKS = 20
"""Webhooks of one tenant."""

router = APIRouter(tags=["webhooks"], route_class=Door)
Kind = Annotated[str, Field(pattern=r"^[a-z_]{1,32}\.[a-z_]{1,32}$", examples=["delivery.delivered"])]
Cursor = Annotated[str, Field(pattern=r"^[0-9]{1,15}$", examples=["0"])]
WebhookId = Annotated[str, Path(pattern=r"^wh_[0-9a-f]{32}$", examples=["wh_" + "0" * 32])]
Url = Annotated[str, Field(min_length=1, max_length=2048, examples=["https://example.com/halfhour"])]
Asker = Annotated[Caller, access(Scope.ORDERS, Scope.OPS)]
Writer = Annotated[Caller, access(Scope.ORDERS, Scope.OPS, meter=Meter.WRITE)]


class WebhookBody(Body):
    """Where to send notices, and which; all kinds, if none is named."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url": "https://example.com/halfhour", "kinds": ["delivery.delivered"]}]},
    )

    url: Url
    kinds: Annotated[list[Kind], Field(max_length=50, default_factory=list)]


class WebhookPatch(Body):
    """What is to be different; `enabled: true` also forgets failures."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"enabled": True}]})

    url: Url | None = None
    kinds: Annotated[list[Kind], Field(max_length=50)] | None = None
    enabled: Annotated[bool, Field(strict=True)] | None = None


class RedeliverBody(Body):
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
    failures: int = Field(description="Failures in a row, roughly.")
    created_at: datetime
    secret: str | None = Field(None, description="Told once: when the webhook is made or its secret rotated.")


class WebhookList(Shown):
    """The caller's webhooks."""

    webhooks: list[WebhookShown]


def _sender(request: Request) -> Webhooks:
    sender: Webhooks = request.app.state.webhooks
    return sender


Sender = Annotated[Webhooks, Depends(_sender)]


def _shown(webhook: Webhook, *, secret: str | None = None) -> WebhookShown:
    return WebhookShown(
        webhook_id=webhook.webhook_id,
        url=webhook.url,
        kinds=list(webhook.kinds),
        enabled=webhook.enabled,
        disabled_reason=webhook.disabled_reason or None,
        failures=webhook.failures,
        created_at=instant(webhook.created_at),  # type: ignore[arg-type]
        secret=secret,
    )


def _found(service: Running, caller: Caller, webhook_id: str) -> Webhook:
    webhook = next((one for one in service.ledger.webhooks() if one.webhook_id == webhook_id), None)
    owned(caller, None if webhook is None else webhook.tenant, code="unknown_webhook", id=webhook_id)
    assert webhook is not None
    return webhook


def _tenant(caller: Caller) -> str:
    return OPERATOR if caller.sees_all else caller.tenant


@router.post("/v1/webhooks", status_code=201, response_model=WebhookShown, responses=problems(409))
async def add_webhook(
    body: WebhookBody, request: Request, service: Running, sender: Sender, caller: Writer, key: IdempotencyKey = None
) -> Response:
    """Registers a receiver.  The answer holds the secret that signs what is sent to it."""
    check_url(body.url, development=sender.development)

    async def do(keep: Keep) -> Reply:
        tenant = _tenant(caller)
        if len(service.ledger.webhooks(tenant)) >= MOST_WEBHOOKS:
            raise InvalidInput(f"a tenant has at most {MOST_WEBHOOKS} webhooks", code="limit_reached")
        made = Webhook(
            f"wh_{uuid.uuid4().hex}", tenant, body.url, (new_secret(),), tuple(dict.fromkeys(body.kinds)),
            created_at=service.host.clock.now(),
        )  # fmt: skip
        reply = Reply(201, _shown(made, secret=made.secrets[0]).model_dump_json())
        await service.host.write(Write(webhooks=(made,), answers=(keep(reply),) if keep is not None else ()))
        sender.notify()
        return reply

    return await service.run(request, caller, key, do, lambda answer: _with_secret(service, answer))


def _with_secret(service: Service, answer: Answer) -> Reply:
    """A kept answer with the secret again, which lives with the webhook alone: until it is rotated or deleted."""
    kept = json.loads(answer.body)
    hook = next((one for one in service.ledger.webhooks() if one.webhook_id == kept.get("webhook_id")), None)
    if "webhook_id" not in kept:
        return Reply(answer.status, answer.body)
    secret = hook.secrets[0] if hook is not None and len(hook.secrets) == 1 else None
    return Reply(answer.status, WebhookShown(**kept, secret=secret).model_dump_json())


@router.get("/v1/webhooks", response_model=WebhookList, responses=problems())
async def list_webhooks(service: Running, caller: Asker) -> Any:
    """Every webhook of the caller."""
    return WebhookList(webhooks=[_shown(one) for one in service.ledger.webhooks(_tenant(caller))])


@router.get("/v1/webhooks/{webhook_id}", response_model=WebhookShown, responses=problems())
async def get_webhook(webhook_id: WebhookId, service: Running, caller: Asker) -> Any:
    """One webhook."""
    return _shown(_found(service, caller, webhook_id))


@router.patch("/v1/webhooks/{webhook_id}", response_model=WebhookShown, responses=problems())
async def change_webhook(
    webhook_id: WebhookId, body: WebhookPatch, service: Running, sender: Sender, caller: Writer
) -> Any:
    """Changes address or kinds; disables it, or enables it again."""
    _found(service, caller, webhook_id)
    if body.url is not None:
        check_url(body.url, development=sender.development)

    def changed(webhook: Webhook) -> Webhook:
        if body.url is not None:
            webhook = replace(webhook, url=body.url)
        if body.kinds is not None:
            webhook = replace(webhook, kinds=tuple(dict.fromkeys(body.kinds)))
        if body.enabled is not None:
            webhook = enabled(webhook) if body.enabled else replace(webhook, enabled=False, disabled_reason="")
        return webhook

    return _shown(await sender.change(webhook_id, changed))


@router.delete("/v1/webhooks/{webhook_id}", status_code=204, responses=problems())
async def delete_webhook(webhook_id: WebhookId, service: Running, caller: Writer) -> Response:
    """Forgets a webhook and all that is due to it."""
    _found(service, caller, webhook_id)
    await asyncio.wrap_future(service.ledger.delete_webhook(webhook_id))
    return Response(status_code=204)


@router.post("/v1/webhooks/{webhook_id}/rotate", response_model=WebhookShown, responses=problems())
async def rotate_secret(webhook_id: WebhookId, service: Running, sender: Sender, caller: Writer) -> Any:
    """A new secret; the one before signs beside it until the next rotation."""
    _found(service, caller, webhook_id)
    changed = await sender.change(webhook_id, rotated)
    return _shown(changed, secret=changed.secrets[0])


@router.post("/v1/webhooks/{webhook_id}/redeliver", response_model=WebhookShown, responses=problems())
async def redeliver(
    webhook_id: WebhookId, body: RedeliverBody, service: Running, sender: Sender, caller: Writer
) -> Any:
    """Sends every kept notice after a cursor again."""
    webhook = _found(service, caller, webhook_id)
    await asyncio.wrap_future(service.ledger.redeliver(webhook_id, int(body.after), service.host.clock.now()))
    sender.notify()
    return _shown(webhook)
