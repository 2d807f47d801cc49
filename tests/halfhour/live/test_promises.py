"""What a live service's promises begin with: a file, taken once, where nothing has been learnt."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.config import read_config
from dispatch.promise.told import PLAN, QUOTE
from dispatch.promise.tracker import Tracker
from halfhour.promising import begin_with, read, written
from routing.errors import UnreadableFile
from tests.kit.service.running import running

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def known(orders: int = 700) -> Tracker:
    """As if orders had come 100 seconds late throughout."""
    groups = [(f"{basis}/all", orders, (100_000_000_000,) * 10) for basis in (QUOTE, PLAN)]
    return Tracker.of(groups, [(QUOTE, orders), (PLAN, orders)], [(QUOTE, 60_000), (PLAN, 60_000)])


async def test_a_service_begins_with_what_a_file_knows_and_keeps_it_in_its_ledger(tmp_path: Path) -> None:
    written(tmp_path / "promise.json", known())
    async with running(tmp_path / "live") as live:
        said = await begin_with(live.host, read(tmp_path / "promise.json"))
        assert said == "promises begin with what was learnt from 700 orders by plan, 700 orders by quote"
        assert live.host.board.promise.is_calibrated(QUOTE)
        assert live.host.board.promise.dump() == known().dump()
    async with running(tmp_path / "live") as live:
        assert live.host.board.promise.dump() == known().dump(), "no file is needed any more"
        said = await begin_with(live.host, known(5000))
        assert said.startswith("promises go on from what the ledger has learnt (700 orders by plan")
        assert live.host.board.promise.dump() == known().dump()


def test_the_file_lies_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_text('[service]\npromise_file = "promise.json"\n')
    assert read_config(tmp_path / "city.toml").service.promise_file == str(tmp_path / "promise.json")


@pytest.mark.parametrize(
    "text", ["", "[]", '{"kind": "other"}', '{"kind": "halfhour promise 1", "offsets": {"a": [1]}}']
)
def test_a_file_of_something_else_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "promise.json").write_text(text)
    with pytest.raises(UnreadableFile, match="what promises begin with cannot be read") as found:
        read(tmp_path / "promise.json")
    assert "halfhour promise fit" in found.value.hint
