"""A command typed while a service runs on the loop of the test."""

from __future__ import annotations

import asyncio

import pytest

from halfhour.commands import main


async def typed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit status of `halfhour WORDS`, and what it wrote to both streams."""

    def call() -> int:
        with pytest.raises(SystemExit) as left:
            main(list(words))
        return int(left.value.code or 0)

    status = await asyncio.to_thread(call)
    out = capsys.readouterr()
    return status, out.out + out.err
