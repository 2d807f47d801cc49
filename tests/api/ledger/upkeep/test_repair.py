"""An entry that cannot be folded: named with a way on, left out only where somebody says so, and never silently."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api.ledger.protocol import LedgerEntry, Write
from api.ledger.recovery import recover
from api.ledger.sqlite.reader import SqliteReader
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.upkeep.repair import skip
from api.ledger.upkeep.verifying import verify
from api.live import host as live
from dispatch.codec import encode
from dispatch.errors import CorruptJournal
from dispatch.events import OrderMoved
from dispatch.inputs import StoreOpened, Wake
from dispatch.model import OrderState
from dispatch.settings.settings import Settings
from halfhour.commands import main
from halfhour.live.live_export import export
from halfhour.live.live_kpis import figures_of
from routing.errors import InvalidInput
from tests.api.http.routes.test_deliveries import QUICK, deliver
from tests.kit.service.running import order, running, with_city


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with one order delivered and one open, no snapshot."""
    folder = tmp_path_factory.mktemp("lived") / "city"

    async def go() -> None:
        async with running(folder, speed=20, **QUICK) as run:
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order("o1"))
            await run.orders.post("/v1/deliveries/o1/ready")
            await deliver(run, "o1")
            await run.orders.post("/v1/deliveries", json=order("o2"))

    asyncio.run(go())
    for path in folder.glob("snapshot-*"):
        path.unlink()
    return folder


@pytest.fixture
def city(lived: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    return Path(shutil.copytree(lived, tmp_path / "city"))


def moved(order_id: str) -> OrderMoved:
    return OrderMoved(at=0, order_id=order_id, state=OrderState.CONFIRMED, happened_at=0, rider_id=None)


def append(folder: Path, *order_ids: str, raw: dict[str, Any] | None = None) -> int:
    """Entries as a version with a fault would have written them; the number of the first."""
    with closing(SqliteLedger(folder)) as ledger:
        first = ledger.head() + 1
        *_, last = ledger.entries(first - 2)
        for seq, order_id in enumerate(order_ids, start=first):
            events = [encode(moved(order_id)) if raw is None else raw]
            ledger.append(Write(LedgerEntry(seq, last.at, encode(Wake(at=last.at)), events))).result()
    return first


def board(folder: Path) -> Any:
    with closing(SqliteReader(folder)) as reader:
        return recover(reader, Settings())


def rows(folder: Path) -> list[Any]:
    with sqlite3.connect(folder / "ledger.sqlite") as db:
        found = db.execute("SELECT * FROM journal ORDER BY seq").fetchall()
    db.close()
    return found


@pytest.mark.parametrize("raw", [None, {"kind": "NobodyKnows", "at": 1}, {"kind": "OrderMoved"}])
def test_an_entry_that_cannot_be_folded_is_named_with_a_way_on(city: Path, raw: Any) -> None:
    bad = append(city, "nobody", raw=raw)
    works: list[Any] = [board, verify, figures_of]
    if raw is not None:  # an export reads what the world said, and takes nothing in
        works.append(lambda folder: export(folder, folder.parent / "day"))
    for work in works:
        with pytest.raises(CorruptJournal) as found:
            work(city)
        assert found.value.details["seq"] == bad and f"entry {bad} " in found.value.message, work
        assert f"halfhour journal repair --skip {bad}" in found.value.hint


def test_a_service_goes_on_without_it_where_somebody_says_so(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, bad = board(city).board.dump(), append(city, "nobody")
    kept = rows(city)

    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as left:
            main([*words, "--data", str(city)])
        out = capsys.readouterr()
        return int(left.value.code or 0), out.out + out.err

    assert run("journal", "repair", "--skip", str(bad))[0] == 2, "not without a reason"
    status, text = run("journal", "repair", "--skip", str(bad - 1), "--reason", "a fault of ours")
    assert status == 2 and f"the first that fails: entry {bad}" in text
    assert not (city / "audit.jsonl").exists()
    status, text = run("journal", "repair", "--skip", str(bad), "--reason", "a fault of ours")
    assert status == 0 and f"entry {bad} is left out" in text
    line = json.loads((city / "audit.jsonl").read_text())
    assert (line["reason"], line["entries"]) == ("a fault of ours", [bad])
    assert run("journal", "repair", "--skip", str(bad), "--reason", "again")[0] == 2, "nothing is wrong any more"
    assert rows(city) == kept, "the chain holds what was written"
    found = board(city)
    assert found.board.dump() == before and found.seq == bad, "numbers go on behind it"

    status, text = run("journal", "verify")
    assert status == 0 and "1 entries were left out by a repair" in text
    status, text = run("journal", "kpis", "--json")
    assert json.loads(text)["skipped_entries"] == 1 and json.loads(text)["orders"] == 2
    status, text = run("journal", "export", str(tmp_path / "day"), "--json")
    assert status == 3 and json.loads(text)["whole"] is False and json.loads(text)["orders"] == 2
    status, text = run("journal", "show", "--after", str(bad - 1), "--limit", "1")
    assert json.loads(text)["skipped"] == "a fault of ours" and "nobody" in text, "it is shown as it was written"

    async def live() -> None:
        async with running(city, speed=20, trusts_journal=True, **QUICK) as again:
            assert (await again.orders.get("/v1/deliveries/o1")).json()["status"] == "delivered"
            answer = await again.orders.post("/v1/deliveries", json=order("o3"))
            assert answer.status_code == 201

    asyncio.run(live())
    assert verify(city).skipped == 1 and board(city).seq > bad


def test_what_follows_from_it_goes_only_where_that_is_said(city: Path) -> None:
    first = append(city, "nobody", "acme.o2", "nobody either")
    kept = rows(city)
    with pytest.raises(InvalidInput, match=f"without entry {first} another one fails: entry {first + 2}") as refused:
        skip(city, first, "a fault of ours")
    assert "--follow" in refused.value.hint and not (city / "audit.jsonl").exists()
    assert [one.seq for one in skip(city, first, "a fault of ours", follow=True)] == [first, first + 2]
    assert rows(city) == kept
    assert board(city).board.orders["acme.o2"].state is OrderState.CONFIRMED, "what can be folded stays"
    verdict = verify(city)
    assert (verdict.skipped, verdict.unlike) == (2, 1), "a wake-up alone confirms nothing"


def test_an_entry_that_only_a_snapshot_gets_over_stops_no_reader(city: Path) -> None:
    """The service starts from its snapshot; who reads from the beginning goes on without the entry, too."""
    bad = append(city, "nobody")
    skip(city, bad, "a fault of ours")
    with closing(SqliteLedger(city)) as ledger:
        found = recover(ledger, Settings())
        from api.ledger.recovery import snapshot_of

        ledger.save_snapshot(snapshot_of(found.board, found.seq)).result()
        ledger.append(Write(extra=(("skipped_entries", []),))).result()
    assert board(city).folded == 0
    with pytest.raises(CorruptJournal, match=f"entry {bad} "):
        figures_of(city)
    assert [one.seq for one in skip(city, bad, "once more")] == [bad]
    assert figures_of(city)["skipped_entries"] == 1
    assert verify(city).first_seq == bad + 1, "decided again from the snapshot behind it"


def test_a_copy_holds_what_was_said_and_is_put_back(city: Path, tmp_path: Path) -> None:
    from api.ledger.upkeep.maintenance import backup, restore

    bad = append(city, "nobody")
    backup(city, tmp_path / "broken")
    with pytest.raises(CorruptJournal, match=f"entry {bad} "):
        restore(tmp_path / "broken", tmp_path / "again")
    skip(tmp_path / "broken", bad, "a fault of ours")
    restore(tmp_path / "broken", tmp_path / "again")
    assert board(tmp_path / "again").seq == bad


def test_a_running_service_says_which_entry_it_cannot_fold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "UNFOLDABLE_EVERY_S", 0.05)

    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            await run.host.settled()
            bad = run.host.seq + 1
            run.ledger.append(
                Write(LedgerEntry(bad, run.clock.now(), encode(Wake(at=0)), [encode(moved("nobody"))]))
            ).result()
            with monkeypatch.context() as broken:
                broken.setattr(run.host.engine, "apply", lambda *_: 1 / 0)
                with pytest.raises(ZeroDivisionError):
                    await run.host.tell(lambda at: StoreOpened(at=at, store_id="s1"))
            await run.until(lambda: run.host.unfoldable == bad)
            ready = await run.anyone.get("/readyz")
            assert ready.status_code == 503 and f"entry {bad} " in ready.json()["detail"]
            assert "journal repair" in ready.json()["detail"]
            metrics = await run.ops.get("/metrics")
            assert metrics.status_code == 200 and f"halfhour_unfoldable_entry {bad}.0" in metrics.text
            await asyncio.wrap_future(
                run.ledger.append(Write(extra=(("skipped_entries", [[bad, 0, bad, "a fault of ours", ""]]),)))
            )
            await run.until(lambda: run.host.is_ready)
            assert run.host.unfoldable is None and run.host.seq >= bad

    asyncio.run(go())
