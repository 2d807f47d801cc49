"""A sender of webhooks that belongs to no market: what is due in any of them is its work."""

from __future__ import annotations

import time
from typing import Any

from api.outbox.feed import message
from api.outbox.name_lookups import Lookups
from api.outbox.webhook_request import Post
from api.outbox.webhook_sender import Sender


def sender_of(outbox: Any, *, development: bool = False) -> Sender:
    """The sender of a deployment's outbox."""
    names = Lookups()
    return Sender(
        outbox,
        post=lambda hook: Post(hook.url, clock=time.time, resolve=names.of(hook.tenant), development=development),
        render=message,
        clock=time.time,
    )
