"""A ledger of an older version becomes one of this version, or stays as it was; a newer one is refused."""

from __future__ import annotations

import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api.ledger.protocol import LedgerFailed
from api.ledger.records import packed
from api.ledger.recovery import recover
from api.ledger.sqlite.reader import FILE, SqliteReader
from api.ledger.sqlite.segments import segments
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.upkeep.maintenance import backup, restore
from dispatch.errors import CorruptJournal
from dispatch.model import OrderState
from dispatch.settings.settings import Settings
from routing.errors import HalfhourError
from tests.api.ledger.test_parts import OLD, a_ledger, opened, refused


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A ledger as 0.1.0 left it: a segment, two snapshots, two delivered orders, one cancelled, one open."""
    with tarfile.open(OLD) as packed:
        packed.extractall(tmp_path, filter="data")
    (tmp_path / "city").chmod(0o755)
    return tmp_path / "city"


def test_a_ledger_of_0_1_0_gets_an_identity_and_folds_as_before(old: Path, tmp_path: Path) -> None:
    with closing(SqliteReader(old)) as reader, pytest.raises(LedgerFailed, match="older version"):
        reader.identity  # noqa: B018
    assert backup(old, tmp_path / "copy") == 36, "a copy is made before anything is changed"
    assert restore(tmp_path / "copy", tmp_path / "again") == 36
    with opened(old) as ledger:
        identity = ledger.identity
        assert [found.seq for found in ledger.entries()] == list(range(1, 37))
        orders = recover(ledger, Settings()).board.orders
        ledger.check_rows()
    assert {name: record.state for name, record in orders.items()} == {
        "acme.o1": OrderState.DELIVERED,
        "acme.o2": OrderState.DELIVERED,
        "acme.o3": OrderState.CANCELLED,
        "acme.o4": OrderState.CREATED,
    }
    assert old.stat().st_mode & 0o077 == 0
    with opened(old) as ledger:
        assert ledger.identity == identity
    stamps = [json.loads(path.read_text())["ledger"] for path in old.glob("snapshot-*")]
    assert stamps == [identity.ledger] * 2


def test_an_upgrade_that_is_interrupted_has_not_happened(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("api.ledger.upkeep.upgrade._seal", full)
        with pytest.raises(HalfhourError):
            SqliteLedger(old)
    with closing(sqlite3.connect(old / FILE)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    with opened(old) as ledger:
        assert ledger.head() == 36


def test_an_old_ledger_whose_first_segment_is_elsewhere_goes_on_and_one_with_a_gap_does_not(
    old: Path, tmp_path: Path
) -> None:
    held = segments(old)[0].path
    held.rename(tmp_path / held.name)
    with opened(old) as ledger:
        assert len(recover(ledger, Settings()).board.orders) == 4
    with closing(SqliteReader(old)) as reader, pytest.raises(CorruptJournal, match="entries 1 to 31 are not here"):
        list(reader.entries())


def test_an_old_ledger_with_snapshots_of_the_future_is_refused_and_stays_as_it_was(old: Path) -> None:
    found = json.loads((old / "snapshot-000000000036.json").read_text()) | {"seq": 90}
    (old / "snapshot-000000000090.json").write_text(packed(found))
    assert refused(old).code == "foreign_part"
    with closing(sqlite3.connect(old / FILE)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_newer_ledger_is_refused_in_words(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city")
    with closing(sqlite3.connect(city / FILE)) as db:
        db.execute("PRAGMA user_version = 99")
    problem = refused(city)
    assert problem.code == "newer_ledger" and "version 99" in problem.message
