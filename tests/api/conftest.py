"""The tests of the service run on the loop that `halfhour serve` runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

try:
    from uvloop import EventLoopPolicy
except ImportError:  # there is none for this machine, and `serve` does without it as well
    EventLoopPolicy = asyncio.DefaultEventLoopPolicy  # type: ignore[assignment,misc]


@pytest.fixture(autouse=True)
def production_loop() -> Iterator[None]:
    asyncio.set_event_loop_policy(EventLoopPolicy())
    yield
    asyncio.set_event_loop_policy(None)
