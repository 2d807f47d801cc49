"""What signs tokens and links is kept apart from the data, for its owner alone, and can be changed without a gap."""

from __future__ import annotations

import asyncio
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from api.access.keys import KeyBook
from api.access.secret import file_of, rotate, secrets_of
from api.common.signed_tokens import opened, signed
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.upkeep.maintenance import backup
from routing.errors import InvalidInput
from tests.api.ledger.test_parts import OLD
from tests.kit.service.running import order, running, with_city


def test_it_lies_beside_the_folder_and_in_no_copy_of_it(tmp_path: Path) -> None:
    city = tmp_path / "city"

    async def go() -> str:
        async with running(city) as run:
            await with_city(run, riders=0)
            made = (await run.orders.post("/v1/deliveries", json=order())).json()
            assert run.ledger.value("secret") is None
            return str(made["tracking_path"])

    async def again(path: str, status: int) -> None:
        async with running(city) as run:
            assert (await run.anyone.get(path)).status_code == status

    path = asyncio.run(go())
    file = tmp_path / "city.secret"
    secret = file.read_text().strip()
    assert file.stat().st_mode & 0o077 == 0
    backup(city, tmp_path / "copy")
    for folder in (city, tmp_path / "copy"):
        for held in folder.rglob("*"):
            assert held.is_dir() or secret.encode() not in held.read_bytes(), held
    assert rotate(file) == 2
    asyncio.run(again(path, 200))
    assert rotate(file, forget=True) == 1
    asyncio.run(again(path, 404))


def test_a_secret_is_kept_over_one_change_and_no_longer(tmp_path: Path) -> None:
    file = tmp_path / "city.secret"
    assert rotate(file) == 1
    (first,) = file.read_text().split()
    assert rotate(file) == 2
    second, kept = file.read_text().split()
    assert kept == first != second
    assert rotate(file) == 2
    third, kept = file.read_text().split()
    assert kept == second != third


def test_the_newest_signs_and_those_behind_it_open() -> None:
    old, new, other = b"o" * 32, b"n" * 32, b"x" * 32
    token = signed(old, "quote", {"a": 1})
    assert opened((new, old), "quote", token) == {"a": 1} and opened((new, other), "quote", token) is None
    assert opened(new, "quote", signed((new, old), "quote", 5)) == 5
    text, _ = KeyBook(old).rider_token("operator", "r1", 100)
    assert KeyBook((new, old)).find_rider(text, 101) is not None and KeyBook((new, other)).find_rider(text, 101) is None


def test_that_of_an_older_ledger_moves_out_of_it(tmp_path: Path) -> None:
    with tarfile.open(OLD) as packed:
        packed.extractall(tmp_path, filter="data")
    with closing(SqliteLedger(tmp_path / "city")) as ledger:
        old = bytes.fromhex(ledger.value("secret"))
        file = file_of(str(tmp_path / "city"), None, {})
        assert secrets_of(ledger, file, {}) == (old,)
        assert ledger.value("secret") is None and secrets_of(ledger, file, {}) == (old,)


def test_the_environment_comes_first_and_what_is_wrong_is_named(tmp_path: Path) -> None:
    assert file_of(str(tmp_path), "named", {"HALFHOUR_SECRET_FILE": "given"}) == Path("given")
    assert file_of(str(tmp_path), "named", {}) == Path("named")
    with closing(SqliteLedger(tmp_path / "city")) as ledger:
        new, old = "ab" * 32, "a sentence of more than thirty-two letters"
        said = {"HALFHOUR_SECRET": f"{new},{old}"}
        assert secrets_of(ledger, tmp_path / "none", said) == (bytes.fromhex(new), old.encode())
        assert not (tmp_path / "none").exists()
        with pytest.raises(InvalidInput, match="too short"):
            secrets_of(ledger, tmp_path / "none", {"HALFHOUR_SECRET": "short"})
        with pytest.raises(InvalidInput, match="cannot be kept"):
            secrets_of(ledger, tmp_path / "no" / "folder" / "secret", {})
        file = tmp_path / "open"
        file.write_text(new)
        file.chmod(0o644)
        with pytest.raises(InvalidInput) as problem:
            secrets_of(ledger, file, {})
        assert problem.value.code == "unsafe_mode" and "chmod 600" in problem.value.hint
