"""The journal: written line by line, folded to the same board, decided anew to the same events."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest

from dispatch.board.board import Board
from dispatch.codec import SCHEMA_VERSION
from dispatch.errors import CorruptJournal
from dispatch.inputs import Wake
from dispatch.model import Act, Stop
from dispatch.policies.nearest import Nearest
from dispatch.record.journal import Header, JournalWriter, fold, read_entries, read_header, verify
from dispatch.record.kpi import kpis
from dispatch.record.story import tell
from routing.errors import UnreadableFile
from sim.replay.result import Run
from tests.kit.days import journal_of, read_day, write_day

STOP, ACT = ([item.name for item in dataclasses.fields(kind)] for kind in (Stop, Act))
EXPECTED_ACT_AT = STOP.index("expected_act_at")

SCHEMA = f'"halfhour_journal":{SCHEMA_VERSION}'


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """A replayed day: its scenario, its run, and its journal's lines."""
    folder = tmp_path_factory.mktemp("journal")
    scenario = read_day(write_day(folder / "day", 1))
    run, text = journal_of(scenario, Nearest())
    return scenario, run, text.splitlines(keepends=True)


def written(folder, lines):
    path = folder / "journal.jsonl"
    path.write_text("".join(lines))
    return path


def test_the_header_says_what_made_it(day, tmp_path):
    scenario, run, lines = day
    header = read_header(written(tmp_path, lines))
    assert header.catalogue_digest == scenario.catalogue.digest
    assert header.engine_settings() == run.settings
    assert (header.policy, header.seed) == ("nearest", 1)


def test_folding_gives_the_board_that_lived(day, tmp_path):
    scenario, run, lines = day
    entries = list(read_entries(written(tmp_path, lines)))
    board = fold(scenario.fresh().catalogue.places, run.settings, entries)
    board.now = max(board.now, entries[-1].at)
    assert board.dump() == run.board.dump()
    assert [entry.seq for entry in entries] == list(range(len(entries)))


def in_schema_1(line):
    """The line with its stops and acts as objects."""
    value = json.loads(line)
    for event in value["events"]:
        for stops in [event["route"].get("stops", [])] if event["kind"] == "RouteRevised" else []:
            stops[:] = [dict(zip(STOP, stop, strict=False)) for stop in stops]
            for stop in stops:
                stop["acts"] = [dict(zip(ACT, act, strict=True)) for act in stop["acts"]]
    return json.dumps(value) + "\n"


def test_a_journal_of_schema_1_says_the_same(day, tmp_path):
    _, _, lines = day
    old = [lines[0].replace(SCHEMA, '"halfhour_journal":1'), *map(in_schema_1, lines[1:])]
    now = list(read_entries(written(tmp_path, lines)))
    assert any('"expected_act_at"' in line for line in old) and not any('"expected_act_at"' in line for line in lines)
    assert list(read_entries(written(tmp_path, old))) == now


def test_deciding_anew_agrees(day, tmp_path):
    scenario, run, lines = day
    entries = read_entries(written(tmp_path, lines))
    assert verify(scenario.fresh().catalogue.places, run.settings, entries) == len(lines) - 1


def first_with(lines, text):
    return next(number for number, line in enumerate(lines) if text in line)


def test_an_edited_decision_is_found(day, tmp_path):
    scenario, run, lines = day
    number = first_with(lines, '"told":true')
    value = json.loads(lines[number])
    next(event for event in value["events"] if event.get("told"))["route"]["stops"][0][EXPECTED_ACT_AT] += 60
    edited = [*lines[:number], json.dumps(value) + "\n", *lines[number + 1 :]]
    with pytest.raises(CorruptJournal, match="decided anew") as found:
        verify(scenario.fresh().catalogue.places, run.settings, read_entries(written(tmp_path, edited)))
    assert found.value.details["line"] == number + 1


def test_a_refusal_where_an_event_stood_is_found(day, tmp_path):
    scenario, run, lines = day
    number = first_with(lines, '"kind":"OrderPlaced"')
    again = json.loads(lines[number]) | {"seq": number}
    later = [
        json.dumps(json.loads(line) | {"seq": seq}) + "\n" for seq, line in enumerate(lines[number + 1 :], number + 1)
    ]
    doubled = [*lines[: number + 1], json.dumps(again) + "\n", *later]
    with pytest.raises(CorruptJournal, match="is refused"):
        verify(scenario.fresh().catalogue.places, run.settings, read_entries(written(tmp_path, doubled)))


@pytest.mark.parametrize(
    ("harm", "line", "message"),
    [
        (lambda lines: lines[1:], 1, "header"),
        (lambda lines: [lines[0].replace(SCHEMA, '"halfhour_journal":99'), *lines[1:]], 1, "schema 99"),
        (lambda lines: [*lines[:5], *lines[6:]], 6, "stands where"),
        (lambda lines: [*lines[:9], lines[9][:20]], 10, "cannot be read"),
        (lambda lines: [*lines[:9], lines[9].replace('"kind":"', '"kind":"Odd')], 10, "unknown kind"),
    ],
)
def test_damage_is_named_by_its_line(day, tmp_path, harm, line, message):
    path = written(tmp_path, harm(day[2]))
    with pytest.raises(CorruptJournal, match=message) as found:
        list(read_entries(path))
    assert found.value.details["line"] == line


def test_a_missing_journal_is_named(tmp_path):
    with pytest.raises(UnreadableFile, match="no journal can be read"):
        read_header(tmp_path / "journal.jsonl")


def test_every_line_is_whole_as_soon_as_it_is_written():
    stream = io.StringIO()
    writer = JournalWriter(stream, Header(1, "x", {}, "c", "t", "nearest", 1))
    for at in range(3):
        writer.append(Wake(at=at), ())
        assert stream.getvalue().endswith("\n")
    assert [json.loads(line).get("seq") for line in stream.getvalue().splitlines()] == [None, 0, 1, 2]


def test_an_empty_journal_folds_to_an_empty_board(day):
    scenario, run, _ = day
    assert isinstance(run, Run)
    places = scenario.fresh().catalogue.places
    assert fold(places, run.settings, ()).dump() == Board(places, run.settings).dump()


def test_an_entry_that_cannot_be_taken_in_is_named_whoever_reads_it(day, tmp_path):
    scenario, run, lines = day
    number = first_with(lines, '"kind":"OrderAccepted"')
    value = json.loads(lines[number])
    accepted = next(event for event in value["events"] if event["kind"] == "OrderAccepted")
    order_id = accepted["order"]["order_id"]
    value["events"] = [{"kind": "ReadyKnown", "at": 1, "order_id": "nobody", "expected_ready_at": 1, "ready_at": 1}]
    path = written(tmp_path, [*lines[:number], json.dumps(value) + "\n", *lines[number + 1 :]])
    places = scenario.fresh().catalogue.places
    for work in (
        lambda: fold(places, run.settings, read_entries(path)),
        lambda: kpis(scenario.catalogue, read_entries(path)),
    ):
        with pytest.raises(CorruptJournal, match=f"entry {number - 1} cannot be taken in") as found:
            work()
        assert (found.value.details["line"], found.value.details["seq"]) == (number + 1, number - 1)
        assert "halfhour replay" in found.value.hint
    told = tell(read_entries(written(tmp_path, lines)), order_id)
    assert told.lines
    value["events"] = [{"kind": "EtaChanged", "at": 1, "order_id": order_id, "expected_dropoff_at": 10**30}]
    path = written(tmp_path, [*lines[:number], json.dumps(value) + "\n", *lines[number + 1 :]])
    with pytest.raises(CorruptJournal, match=f"entry {number - 1} cannot be taken in"):
        tell(read_entries(path), order_id)
