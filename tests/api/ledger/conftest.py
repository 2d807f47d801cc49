"""The stores that tests of ledgers run on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.service.postgres import Server, fresh, server
from tests.kit.service.stores import Store, Stored, in_database, in_folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for all tests; skips them where there is none to be had."""
    with server() as running:
        yield running


@pytest.fixture
def market(postgres: Server) -> str:
    """The address of a market that nobody holds."""
    return fresh(postgres, "market")


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "sqlite":
        return in_folder(tmp_path / "ledger")
    return in_database(fresh(request.getfixturevalue("postgres"), "market"))


@pytest.fixture
def ledger(store: Store) -> Iterator[Stored]:
    """An open ledger of each kind."""
    made = store.opened({"schema": 1})
    yield made
    made.close()
