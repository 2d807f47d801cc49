"""What reads a ledger reads it the same from a folder and from a database, and hears of what is wrong there."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from api.ledger.protocol import CorruptLedger, LedgerFailed, NewerLedger
from api.ledger.upkeep.audit import write_down
from api.ledger.upkeep.copying import copy
from api.ledger.upkeep.lived import opened
from api.ledger.upkeep.verifying import verify
from dispatch.errors import CorruptJournal
from halfhour.commands import main
from halfhour.live.live_export import export
from halfhour.live.live_kpis import figures_of
from routing.errors import InvalidInput
from tests.kit.service.postgres import Server, fresh
from tests.kit.service.running import order, running, with_city

psycopg = pytest.importorskip("psycopg", reason="needs psycopg: pip install 'halfhour[postgres]'")


async def _a_day(folder: Path) -> None:
    async with running(folder) as run:
        await with_city(run, riders=2)
        for name in ("one", "two", "gone"):
            assert (await run.orders.post("/v1/deliveries", json=order(name))).status_code == 201
        assert (await run.orders.post("/v1/deliveries/gone/cancel")).status_code == 200


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a city that was lived for a moment."""
    folder = tmp_path_factory.mktemp("city") / "ledger"
    asyncio.run(_a_day(folder))
    return folder


@pytest.fixture
def market(city: Path, postgres: Server) -> str:
    """The same ledger in a database."""
    address = fresh(postgres, "munich")
    copy(str(city), address)
    return address


def spoil(address: str, statement: str) -> None:
    with psycopg.connect(address.partition("#")[0], autocommit=True) as database:
        assert database.execute(statement.encode()).rowcount > 0


def test_verify_figures_and_export_agree_with_the_folder(city: Path, market: str, tmp_path: Path) -> None:
    assert verify(market) == verify(city) and verify(market).entries > 5
    assert figures_of(market) == figures_of(city)
    assert export(market, tmp_path / "there") == export(city, tmp_path / "here")
    for file in (tmp_path / "here").iterdir():
        if file.suffix in (".csv", ".jsonl"):
            assert (tmp_path / "there" / file.name).read_bytes() == file.read_bytes()


def test_the_commands_take_an_address(market: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["verify", "--json"], ["kpis", "--json"], ["show", "--limit", "2"]):
        with pytest.raises(SystemExit) as ended:
            main(["journal", words[0], "--ledger", market, *words[1:]])
        assert ended.value.code in (0, None)
    said = capsys.readouterr().out
    assert ('"entries"' in said and '"decision_digest"' in said) or '"orders"' in said
    with pytest.raises(SystemExit) as refused:
        main(["journal", "verify", "--ledger", market, "--data", "elsewhere"])
    assert refused.value.code == 2


def test_a_market_that_is_not_there_is_said(market: str) -> None:
    with pytest.raises(LedgerFailed) as unknown:
        opened(market.replace("#munich", "#porto"))
    assert unknown.value.code == "unknown_market"


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE halfhour.journal SET line = line || ' ' WHERE seq = 3", CorruptJournal),
        ("DELETE FROM halfhour.journal WHERE seq = (SELECT max(seq) FROM halfhour.journal)", CorruptLedger),
        ("DELETE FROM halfhour.journal WHERE seq = 2", CorruptJournal),
        ("UPDATE halfhour.notices SET data = '{}' WHERE seq = 1", CorruptLedger),
        ("UPDATE halfhour.vault SET first = first + 1", CorruptLedger),
    ],
)
def test_what_was_changed_in_the_database_is_found(market: str, statement: str, problem: Any) -> None:
    spoil(market, statement)
    with pytest.raises(problem):
        verify(market)


def test_tables_of_an_earlier_version_are_named_and_brought_up_to_date(market: str) -> None:
    from api.ledger.postgres.store import prepare

    spoil(market, "UPDATE halfhour.version SET version = 1")
    with pytest.raises(InvalidInput) as old:
        verify(market)
    assert old.value.code == "older_ledger" and "migrate" in str(old.value.hint)
    prepare(market)
    assert verify(market).entries > 5


def test_tables_of_a_later_version_are_worked_over_while_they_only_have_more(market: str) -> None:
    """Hosts are upgraded one after another: those that are left go on over what the first one has migrated."""
    from api.ledger.postgres.schema import SCHEMA_VERSION
    from api.ledger.postgres.store import prepare

    spoil(market, f"UPDATE halfhour.version SET version = {SCHEMA_VERSION + 1}")
    with psycopg.connect(market.partition("#")[0], autocommit=True) as database:
        database.execute("ALTER TABLE halfhour.markets ADD COLUMN of_tomorrow text NOT NULL DEFAULT 'x'")
    before = verify(market).entries
    prepare(market)  # by a host that was not upgraded yet: nothing goes back
    assert verify(market).entries == before
    spoil(market, f"UPDATE halfhour.version SET oldest_program = {SCHEMA_VERSION + 1}")
    for work in (verify, prepare):
        with pytest.raises(NewerLedger) as newer:
            work(market)
        assert str(SCHEMA_VERSION + 1) in newer.value.message


def test_what_is_done_out_of_the_ordinary_is_kept_in_the_database(market: str) -> None:
    with pytest.raises(InvalidInput):
        write_down(market, "exact export", " ")
    write_down(market, "exact export", "a court asked")
    with psycopg.connect(market.partition("#")[0]) as database:
        rows = database.execute("SELECT market, line FROM halfhour.audit").fetchall()
    assert [(row[0], json.loads(row[1])["reason"]) for row in rows] == [("munich", "a court asked")]
