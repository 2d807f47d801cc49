"""What 0.1.0 left behind still means what it meant: a ledger, a run folder, a scenario folder, a service file.

`golden/0.1.0/meant.json` holds the boards, settings and decisions as 0.1.0 itself read them; `settings.json` its
defaults.  The files were written by 0.1.0 and are never made anew.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from api.config import read_config
from api.ledger.recovery import recover
from api.ledger.sqlite.reader import SqliteReader
from api.ledger.sqlite.store import SqliteLedger
from dispatch.board.board import Board
from dispatch.board.shown_routes import told_acts
from dispatch.errors import CorruptJournal
from dispatch.events import RouteRevised
from dispatch.record.journal import fold
from dispatch.record.run_folder import RunFolder
from dispatch.settings.co2 import line_of
from dispatch.settings.defaults_0_1 import DEFAULTS_0_1
from dispatch.settings.groups import Prices, Reposition, Rules, Search
from dispatch.settings.names import FORMER, renamed
from dispatch.settings.settings import Known, Settings, schema
from halfhour.commands.verify import verified
from halfhour.live.live_export import export
from routing.places import PlaceBook
from sim.sources import open_scenario

FIRST = Path(__file__).parent.parent / "golden" / "0.1.0"
MEANT: dict[str, Any] = json.loads((FIRST / "meant.json").read_text())
STATED: dict[str, Any] = json.loads((FIRST / "settings.json").read_text())


@pytest.fixture(autouse=True, params=["as shipped", "moved"])
def defaults(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test twice: with the defaults that ship, and with every default moved, as a later version might."""
    if request.param == "moved":
        for block in (Rules, Prices, Search, Reposition):
            known = [known for known in schema() if known.section == block.__name__.lower()]
            monkeypatch.setattr(block.__init__, "__defaults__", tuple(map(elsewhere, known)))
        assert Settings() != Settings.stated(STATED)


def elsewhere(known: Known) -> Any:
    """Another value that a setting may take."""
    if known.choices:
        return known.choices[known.choices.index(known.default) - 1]
    if known.kind is bool:
        return not known.default
    if known.kind is str:
        return {"mix": "same_store", "hours": "shift 36000"}.get(known.name, "gold: ahead 60")
    return known.default + 1 if known.high is None or known.default < known.high else known.default - 1


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger folder of 0.1.0, with its snapshot."""
    folder = tmp_path / "ledger"
    shutil.copytree(FIRST / "ledger", folder)
    with sqlite3.connect(folder / "ledger.sqlite") as database:
        database.executescript((folder / "ledger.sql").read_text() + "PRAGMA user_version = 1;")
    database.close()
    SqliteLedger(folder).close()  # what the first start of this version does with it
    return folder


LEARNT = {"shown", "brought", "worked", "breaks", "break_from", "receipts", "receipts_made", "logged_off"}
"""Fields of a rider that 0.1.0 did not keep, though its entries tell them: a fold has them, its dumps do not."""


def same(board: Board, places: PlaceBook, meant: dict[str, Any]) -> bool:
    """Whether a board is the one that 0.1.0 dumped; what has been added since is as it was without, or learnt."""
    assert not any(LEARNT & rider.keys() for rider in meant["riders"].values()), "0.1.0 knew it: it is to be compared"
    return as_known(board.dump()) == as_known(Board.load(places, meant).dump())


def as_known(dump: dict[str, Any]) -> dict[str, Any]:
    """A dump without what is learnt from old entries only."""
    riders = {
        rider_id: {key: value for key, value in rider.items() if key not in LEARNT}
        for rider_id, rider in dump["riders"].items()
    }
    return dump | {"riders": riders}


def test_the_frozen_table_is_what_0_1_0_opened_with() -> None:
    stated = dict(map(renamed, STATED.items()))
    table = dict(map(renamed, DEFAULTS_0_1.items()))
    assert {key: table[key] for key in stated} == stated, "no line of it ever changes"
    assert list(table)[: len(stated)] == list(stated), "settings that came later stand behind"


def test_every_setting_has_a_meaning_where_nothing_states_it() -> None:
    assert {FORMER.get(key, key) for key in DEFAULTS_0_1} == {known.key for known in schema()}


@pytest.mark.parametrize("snapshot", [True, False])
def test_a_ledger_folds_to_the_same_board(ledger: Path, snapshot: bool) -> None:
    if not snapshot:
        for path in ledger.glob("snapshot-*"):
            path.unlink()
    reader = SqliteReader(ledger)
    found = recover(reader, Settings().with_values({"rules.round_s": 77, "prices.unserved": 5}))
    reader.close()
    assert found.board.settings == Settings.stated(MEANT["settings"]["ledger"])
    assert same(found.board, found.places, MEANT["ledger"])


def test_a_run_folder_is_verified_by_a_later_version(tmp_path: Path) -> None:
    found = verified(FIRST / "run")
    assert found["entries"] > 0 and found["decision_digest"] == RunFolder(FIRST / "run").summary["decision_digest"]
    other = tmp_path / "run"
    shutil.copytree(FIRST / "run", other)
    catalogue = other / "catalogue.json"
    catalogue.write_text(catalogue.read_text(encoding="utf-8").replace('"format":', '"format": ', 1), encoding="utf-8")
    with pytest.raises(CorruptJournal, match="another catalogue"):
        verified(other)


def test_a_run_folder_folds_to_the_same_board() -> None:
    run = RunFolder(FIRST / "run")
    catalogue = run.catalogue
    assert run.settings() == Settings.stated(MEANT["settings"]["run"])
    board = fold(catalogue.places, run.settings(), run.entries())
    assert same(board, catalogue.places, MEANT["run"])
    told = {
        (event.route.rider_id, stop.stop_id, told_acts(stop))
        for entry in run.entries()
        for event in entry.events
        if isinstance(event, RouteRevised)
        for stop in event.route.told
    }
    shown = {(key, seen.stop_id, seen.acts) for key, rider in board.riders.items() for seen in rider.shown}
    assert told and shown == told, "what the phones showed is learnt from the entries"


def test_a_scenario_folder_is_opened_with_the_same_settings(tmp_path: Path) -> None:
    day = open_scenario(FIRST / "day")
    # The folder's table of grams stands for the line that its settings could not have.
    grams = {"rules.co2": line_of(day.catalogue.co2_g_per_km)}
    assert day.catalogue.settings == Settings.stated(MEANT["settings"]["day"] | grams)
    assert day.catalogue.settings == RunFolder(FIRST / "run").catalogue.settings.with_values(grams)


def test_a_service_file_changes_nothing_in_a_ledger_that_has_begun(ledger: Path) -> None:
    config = read_config(FIRST / "service.toml")
    reader = SqliteReader(ledger)
    found = recover(reader, config.engine_settings())
    reader.close()
    assert same(found.board, found.places, MEANT["ledger"])


def test_a_live_day_of_0_1_0_is_exported_with_all_it_opened_with(ledger: Path, tmp_path: Path) -> None:
    export(ledger, tmp_path / "day")
    opened = open_scenario(tmp_path / "day").catalogue.settings
    assert opened.flat() | {"rules.max_batch": 3} == Settings.stated(MEANT["settings"]["ledger"]).flat()
    written = (tmp_path / "day" / "scenario.toml").read_text()
    assert written.count('"reposition.') == len(dataclasses.fields(Reposition)), "every setting by value"
