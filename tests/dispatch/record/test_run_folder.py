"""A run folder: whole or not there at all, and enough to check the run."""

from __future__ import annotations

import csv
import json

import pytest

from dispatch.errors import CorruptJournal
from dispatch.policies.nearest import Nearest
from dispatch.record.catalogue import Catalogue
from dispatch.record.run_folder import ORDER_COLUMNS, RIDER_COLUMNS, OutputExists, RunFolder, RunFolderWriter
from routing.errors import UnreadableFile
from sim.replay.replay import replay_into
from tests.kit.days import read_day, write_day

FILES = ["catalogue.json", "journal.jsonl", "mdrp", "orders.csv", "riders.csv", "summary.json", "use.csv"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folder")
    scenario = read_day(write_day(folder / "day", 1))
    return replay_into(folder / "run", scenario, Nearest()), folder / "run"


def test_a_run_folder_holds_everything(run):
    replayed, path = run
    folder = RunFolder(path)
    assert sorted(file.name for file in path.iterdir()) == FILES
    assert folder.summary == json.loads(json.dumps(replayed.summary))
    assert folder.catalogue.digest == replayed.scenario.catalogue.digest == folder.header.catalogue_digest
    assert folder.verify() == sum(1 for _ in folder.entries())
    assert folder.settings() == replayed.settings


def test_the_tables_have_their_columns_and_add_up(run):
    replayed, path = run
    with (path / "orders.csv").open() as stream:
        orders = list(csv.DictReader(stream))
    with (path / "riders.csv").open() as stream:
        riders = list(csv.DictReader(stream))
    assert tuple(orders[0]) == ORDER_COLUMNS
    assert tuple(riders[0]) == RIDER_COLUMNS
    summary = replayed.summary
    assert len(orders) == summary["orders"]
    assert sum(int(row["delivered"]) for row in riders) == summary["delivered"]
    doors = [int(row["click_to_door_s"]) for row in orders if row["state"] == "delivered"]
    assert sum(doors) / len(doors) == pytest.approx(summary["click_to_door_mean_s"], abs=1e-3)
    pay = sum(float(row["pay"]) for row in riders)
    assert pay / summary["delivered"] == pytest.approx(summary["cost_per_order"], abs=1e-2)


def test_an_existing_folder_is_kept_without_force(tmp_path, run):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("x")
    with pytest.raises(OutputExists), RunFolderWriter(tmp_path / "mine"):
        pass
    assert (tmp_path / "mine" / "note.txt").read_text() == "x"


def test_force_replaces_a_run_and_nothing_else(tmp_path):
    """`--out ~ --force` must not cost anybody their letters."""
    mine = tmp_path / "mine"
    (mine / "letters").mkdir(parents=True)
    (mine / "letters" / "a.txt").write_text("x")
    with RunFolderWriter(mine, force=True) as folder:
        (folder.path / "old.txt").write_text("y")
        (folder.path / "letters").mkdir()
        (folder.path / "letters" / "b.txt").write_text("z")
    assert sorted(file.name for file in mine.iterdir()) == ["journal.jsonl", "letters", "old.txt"]
    assert sorted(file.name for file in (mine / "letters").iterdir()) == ["a.txt", "b.txt"]
    # Now it is a run folder: the next run takes its place whole.
    with RunFolderWriter(mine, force=True) as folder:
        (folder.path / "new.txt").write_text("y")
    assert sorted(file.name for file in mine.iterdir()) == ["journal.jsonl", "new.txt"]


def test_a_run_that_fails_leaves_no_folder_behind(tmp_path):
    with pytest.raises(ZeroDivisionError), RunFolderWriter(tmp_path / "runs" / "new" / "mine"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_never_overwritten(tmp_path):
    (tmp_path / "mine").write_text("x")
    with pytest.raises(OutputExists), RunFolderWriter(tmp_path / "mine", force=True):
        pass


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "empty").mkdir()
    with RunFolderWriter(tmp_path / "empty") as folder:
        (folder.path / "new.txt").write_text("y")
    assert (tmp_path / "empty" / "new.txt").exists()


def test_an_error_leaves_nothing_behind(tmp_path):
    with pytest.raises(ZeroDivisionError), RunFolderWriter(tmp_path / "run") as folder:
        (folder.path / "half.txt").write_text("x")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_any_other_folder_is_no_run(tmp_path):
    with pytest.raises(UnreadableFile, match="no run folder"):
        RunFolder(tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"format": 99}', '{"format": 1}'])
def test_a_damaged_catalogue_is_named(tmp_path, text):
    path = tmp_path / "catalogue.json"
    path.write_text(text)
    with pytest.raises(UnreadableFile) as found:
        Catalogue.read(path)
    assert found.value.details["file"] == str(path)


def test_a_catalogue_is_read_as_it_was_written(tmp_path, run):
    catalogue = run[0].scenario.catalogue
    catalogue.write(tmp_path / "catalogue.json")
    again = Catalogue.read(tmp_path / "catalogue.json")
    for name in ("stores", "riders", "shifts", "zones", "travel", "settings", "pay", "begin_at", "digest"):
        assert getattr(again, name) == getattr(catalogue, name)
    assert again.places.cell.tolist() == catalogue.places.cell.tolist()


@pytest.mark.parametrize("text", ["{}", "[]", '{"policy": "nearest"}', "{", ""])
def test_a_damaged_summary_is_said_so(tmp_path, text):
    (tmp_path / "summary.json").write_text(text)
    with pytest.raises(UnreadableFile, match="damaged") as found:
        _ = RunFolder(tmp_path).summary
    assert found.value.details["file"].endswith("summary.json")


def test_a_damaged_line_of_the_journal_is_named_with_its_file(tmp_path, run):
    (tmp_path / "summary.json").write_text("{}")
    text = (run[1] / "journal.jsonl").read_text()
    (tmp_path / "journal.jsonl").write_text(text[: len(text) // 2])
    with pytest.raises(CorruptJournal) as found:
        list(RunFolder(tmp_path).entries())
    assert found.value.details["file"].endswith("journal.jsonl")
    assert found.value.details["line"] > 2
