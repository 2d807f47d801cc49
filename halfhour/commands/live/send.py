"""`halfhour send`: a sender of webhooks for all markets of a database, beside as many others as there are."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Annotated

import typer

from halfhour.commands.live.market import Url

EXAMPLE = "halfhour send --ledger postgresql://halfhour@db1/halfhour"


def send(
    ledger: Url,
    development: Annotated[bool, typer.Option(help="Let webhooks call this machine by plain http.")] = False,
) -> None:
    """Send what is due to webhooks of every market; hosts that run this share the receivers."""
    asyncio.run(_run(ledger, development))


async def _run(ledger: str, development: bool) -> None:
    from api.ledger.opening import outbox_of
    from api.observe.logs import log_json
    from halfhour.live.sending import sender_of

    log_json(sys.stderr)
    outbox = await asyncio.to_thread(outbox_of, ledger)
    sender = sender_of(outbox, development=development)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    sender.start()
    sys.stdout.write("Halfhour sends to webhooks\n")
    sys.stdout.flush()
    await ended.wait()
    await sender.close()
    await asyncio.to_thread(outbox.close)
