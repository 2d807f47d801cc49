"""The commands as a user types them: results, JSON, help, and one clear message where something is wrong."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dispatch.settings.settings import schema
from dispatch.version import __version__
from halfhour.commands import VERBS, module_of
from tests.architecture.sources import ROOT
from tests.kit.fixtures import SMALL

CONTRACT = {
    "orders", "delivered", "undelivered", "cancelled", "click_to_door_mean_s", "click_to_door_p90_s",
    "ready_to_pickup_mean_s", "ready_to_door_mean_s", "on_time_share", "lateness_mean_s", "orders_per_rider_hour",
    "batched_share", "driven_s_per_order", "utilisation", "cost_per_order", "rounds", "settings", "versions",
    "decision_digest", "complete",
}  # fmt: skip
"""What summary.json is promised to hold."""


def fails(typed, *parts: str) -> None:
    """Status 2, nothing on standard output, one message without a traceback that holds all `parts`."""
    assert typed.status == 2
    assert typed.out == ""
    assert "Traceback" not in typed.err
    assert typed.err.startswith("Error: ") and typed.err.count("Error: ") == 1
    for part in parts:
        assert part in typed.err


# --- help -----------------------------------------------------------------------------------------------------------


def test_help_lists_every_verb(halfhour):
    typed = halfhour("--help")
    assert typed.status == 0
    for verb in VERBS:
        assert f" {verb.name} " in typed.out


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_every_verb_is_there_and_shows_an_example(halfhour, verb):
    assert importlib.util.find_spec(module_of(verb)) is not None
    typed = halfhour(verb, "--help")
    assert typed.status == 0
    assert f"halfhour {verb}" in typed.out.split("Example", 1)[1]


def test_version(halfhour):
    assert halfhour("--version").out == f"halfhour {__version__}\n"


def test_an_unknown_verb_names_the_nearest(halfhour):
    typed = halfhour("replai")
    assert typed.status == 2
    assert "replay" in typed.err


# --- replay ---------------------------------------------------------------------------------------------------------


def test_replay_prints_summary_alone_as_json(halfhour, small_day, tmp_path):
    out = tmp_path / "run"
    typed = halfhour("replay", small_day, "--policy", "nearest", "--set", "rules.round_s=60", "--out", out, "--json")
    assert typed.status == 0
    summary = json.loads(typed.out)
    assert summary == json.loads((out / "summary.json").read_text())
    assert summary.keys() >= CONTRACT
    assert summary["settings"]["rules.round_s"] == 60
    assert summary["delivered"] + summary["undelivered"] + summary["cancelled"] == summary["orders"] == 60
    assert typed.err == ""


def test_replay_leaves_a_whole_run_folder(halfhour, small_day, tmp_path):
    out = tmp_path / "run"
    typed = halfhour("replay", small_day, "--policy", "greedy", "--audit", "--out", out)
    assert typed.status == 0
    assert re.search(r"^audit: \d+ violations$", typed.out, flags=re.M)
    assert str(out) in typed.out
    names = {path.name for path in out.iterdir()}
    assert names >= {"summary.json", "orders.csv", "riders.csv", "journal.jsonl", "catalogue.json", "report.html"}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_without_out_a_dated_folder_is_made(halfhour, small_day, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert halfhour("replay", small_day, "--policy", "nearest").status == 0
    assert halfhour("replay", small_day, "--policy", "nearest").status == 0
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert len(names) == 2
    assert all(re.match(r"\d{4}-\d\d-\d\d-\d{4}-small-nearest", name) for name in names)


def test_a_run_folder_is_not_overwritten_without_force(halfhour, small_day, tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    fails(halfhour("replay", small_day, "--policy", "nearest", "--out", tmp_path), "--force", "output_exists")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--policy", "nearst"), ("Did you mean nearest?", "unknown_policy")),
        (("--policy", "nearest", "--recipe", "lns"), ("no recipes", "invalid_policy")),
        (("--policy", "nowhere.py:Mine"), ("nowhere.py", "unreadable_file")),
        (("--set", "rules.rond_s=3"), ("Did you mean rules.round_s?", "invalid_setting")),
        (("--set", "rules.round_s=soon"), ("rules.round_s", "not a int", "invalid_setting")),
        (("--set", "rules.round_s"), ("there is no =", "invalid_setting")),
        (("--roads", "nowhere.npz"), ("nowhere.npz", "unreadable_file")),
    ],
)
def test_what_is_wrong_is_said_once(halfhour, small_day, tmp_path, words, parts):
    fails(halfhour("replay", small_day, "--out", tmp_path / "run", *words), *parts)
    assert list(tmp_path.iterdir()) == []


def damaged(small_day, tmp_path, name, old, new):
    """A copy of the small day with one piece of one file replaced."""
    copy = tmp_path / "damaged"
    copy.mkdir()
    for path in small_day.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new, 1))
    return copy


@pytest.mark.parametrize(
    ("name", "old", "new", "parts"),
    [
        ("orders.csv", "placed_at", "plaaced_at", ("orders.csv", "placed_at")),
        ("orders.csv", "\no0002,", "\no0001,", ("orders.csv", "line 3", "o0001")),
        ("orders.csv", ",s0", ",x0", ("orders.csv", "line", "store_id")),
        ("riders.csv", "\nr002,4", "\nr002,north4", ("riders.csv", "line 3", "field lat")),
        ("riders.csv", "\nr002,4", "\nr002,94", ("riders.csv", "line 3", "world")),
        ("scenario.toml", "rules.round_s", "rules.rond_s", ("scenario.toml", "rules.round_s")),
        ("scenario.toml", "format = 3", "format = ", ("scenario.toml",)),
    ],
)
def test_a_damaged_scenario_names_file_line_and_field(halfhour, small_day, tmp_path, name, old, new, parts):
    fails(halfhour("scenario", "validate", damaged(small_day, tmp_path, name, old, new)), *parts)


def test_a_missing_scenario_is_said_so(halfhour, tmp_path):
    fails(halfhour("replay", tmp_path / "nothing", "--out", tmp_path / "run"), "nothing", "unreadable_file")


def test_ctrl_c_keeps_what_was_finished(halfhour, small_day, tmp_path, monkeypatch):
    from dispatch.policies.nearest import Nearest

    answer, rounds = Nearest.answer, []

    def interrupted(self, frozen, times):
        rounds.append(frozen.round)
        if len(rounds) == 40:
            raise KeyboardInterrupt
        return answer(self, frozen, times)

    monkeypatch.setattr(Nearest, "answer", interrupted)
    typed = halfhour("replay", small_day, "--policy", "nearest", "--out", tmp_path / "run", "--json")
    assert typed.status == 130
    summary = json.loads(typed.out)
    assert summary["complete"] is False
    assert (tmp_path / "run" / "journal.jsonl").stat().st_size > 0
    assert "Stopped early" in typed.err


def test_a_demo_stopped_before_its_first_order_says_no_more(halfhour, small_day, tmp_path, monkeypatch):
    from sim.replay.host import Host

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Host, "_load", interrupted)
    monkeypatch.setattr("halfhour.synthetic.write_lunch_peak", lambda target: small_day)
    typed = halfhour("demo", "--out", tmp_path / "demo")
    assert typed.status == 130
    assert "Stopped early" in typed.err
    assert "Error" not in typed.err


# --- other verbs ----------------------------------------------------------------------------------------------------


def test_verify(halfhour, nearest_run):
    typed = halfhour("verify", nearest_run, "--json")
    found = json.loads(typed.out)
    summary = json.loads((nearest_run / "summary.json").read_text())
    assert found["decision_digest"] == summary["decision_digest"]
    assert found["entries"] == len((nearest_run / "journal.jsonl").read_text().splitlines()) - 1
    assert found["orders"] == 60


def test_verify_finds_what_was_edited(halfhour, nearest_run, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in nearest_run.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    lines = (copy / "journal.jsonl").read_text().splitlines(keepends=True)
    number = next(k for k, line in enumerate(lines) if '"kind":"RouteRevised"' in line)
    lines[number] = re.sub(r'"revision":(\d+)', lambda found: f'"revision":{int(found[1]) + 1}', lines[number])
    (copy / "journal.jsonl").write_text("".join(lines))
    fails(halfhour("verify", copy), "journal.jsonl", f"line {number + 1}", "corrupt_journal")


def test_bench_says_that_it_needs_a_checkout(halfhour, monkeypatch, tmp_path):
    from halfhour.commands import bench

    monkeypatch.setattr(bench, "ROOT", tmp_path)
    fails(halfhour("bench"), "Clone the project", "needs_checkout")


def test_config(halfhour, small_day):
    shown = json.loads(halfhour("config", "show", "--json").out)
    assert [known["key"] for known in shown] == [known.key for known in schema()]
    text = halfhour("config", "explain", "rules.round_mode").out
    assert "prompt | beat" in text
    fails(halfhour("config", "explain", "rules.round_mood"), "rules.round_mode")
    assert "others stands for all not named" in halfhour("config", "explain", "rules.mix").out
    fails(halfhour("replay", small_day, "--set", "rules.mix=hot_food: soon"), "'soon' is no rule for goods")
    fails(halfhour("config", "explain", "on-time"), "on_time")
    fails(halfhour("config", "show", "rule"), "rule")


def test_a_preset_and_a_single_setting_are_given_to_one_run(halfhour, small_day, tmp_path):
    done = halfhour(
        "replay", small_day, "--policy", "nearest", "--set", "preset=thrifty", "--set", "prices.late_fixed=5",
        "--out", str(tmp_path / "run"),
    )  # fmt: skip
    said = "prices.late_fixed = 5 stands, not 90000 of the preset thrifty."
    assert " ".join((done.out + done.err).split()).count(said) == 1
    settings = json.loads((tmp_path / "run" / "summary.json").read_text())["settings"]
    assert (settings["preset"], settings["prices.work_per_s"], settings["prices.late_fixed"]) == ("thrifty", 100, 5)
    fails(halfhour("replay", small_day, "--set", "preset=thrify"), "thrifty")
    fails(halfhour("replay", small_day, "--set", "preset="), "Choose one of balanced")
    fails(halfhour("replay", small_day, "--set", "preset=door", "--set", "preset=thrifty"), "preset is set twice")


def test_a_single_setting_is_judged_beside_those_of_its_day(halfhour, small_day, tmp_path):
    """The day counts from the placement, whatever ships."""
    day = tmp_path / "clicks"
    clicks = ["prices.late_from=placement", "prices.fail_after_promise_s=0", "prices.late_after_s=2400"]
    words = [word for pair in clicks for word in ("--set", pair)]
    made = halfhour("scenario", "new", day, "--orders", "12", "--riders", "3", "--stores", "2", *words)
    assert made.status == 0
    done = halfhour("replay", day, "--policy", "nearest", "--set", "prices.late_after_s=3600", "--out", tmp_path / "r")
    assert done.status == 0 and "does nothing" not in done.out + done.err


def test_a_new_day_says_what_stands_beside_its_preset(halfhour, tmp_path):
    words = ("--orders", "12", "--riders", "3", "--stores", "2", "--set", "preset=door", "--set", "prices.late_fixed=5")
    made = halfhour("scenario", "new", tmp_path / "day", *words)
    assert " ".join(made.out.split()).count("prices.late_fixed = 5 stands, not 0 of the preset door.") == 1


def test_a_note_about_a_folders_single_setting_goes_where_the_command_line_overrules_it(halfhour, tmp_path, small_day):
    day = Path(shutil.copytree(small_day, tmp_path / "day"))
    text = (day / "scenario.toml").read_text()
    assert '"prices.late_fixed" = ' in text
    (day / "scenario.toml").write_text(re.sub(r'("prices.late_fixed" =) \d+', r"\1 7", text))
    note = "prices.late_fixed = 7 stands"
    kept = halfhour("replay", day, "--policy", "nearest", "--out", tmp_path / "kept").out
    assert note in " ".join(kept.split())
    for key in ("preset=door", "prices.late_fixed=8"):
        overruled = halfhour("replay", day, "--policy", "nearest", "--set", key, "--out", tmp_path / key).out
        assert note not in " ".join(overruled.split())


def test_a_value_is_explained_by_the_preset_it_comes_from(halfhour, tmp_path):
    file = tmp_path / "city.toml"
    file.write_text('[engine]\npreset = "thrifty"\n"prices.late_fixed" = 5\n"rules.round_s" = 7\n')

    def value(key):
        return halfhour("config", "explain", key, "--of", str(file)).out.splitlines()[1].split(maxsplit=1)[1]

    assert value("prices.work_per_s") == "100 (from the preset thrifty)"
    assert value("prices.late_fixed") == "5 (set singly, beside the preset thrifty with 90000)"
    assert value("rules.round_s") == "7 (set singly)"
    assert value("rules.travel_round_s") == "1 (the default)"
    assert value("rules.batch_scope") == value("rules.mix") == "any (from the preset thrifty)"
    assert "on_time 0" in halfhour("config", "explain", "prices.late_fixed").out
    assert "prices.late_per_s = 800" in halfhour("config", "explain", "on_time").out
    shown = json.loads(halfhour("config", "presets", "--json").out)
    assert [one["name"] for one in shown] == ["balanced", "on_time", "door", "thrifty"]


def test_scenario_new_describe_and_replay(halfhour, tmp_path):
    folder = tmp_path / "city"
    words = ("--seed", 2, "--stores", 5, "--riders", 6, "--orders", 20, "--hours", 0.5, "--rain")
    made = json.loads(halfhour("scenario", "new", folder, *words, "--json").out)
    described = json.loads(halfhour("scenario", "describe", folder, "--json").out)
    assert made["orders"] == described["orders"] == 23  # 20 on a dry day, 15 % more in the rain
    assert described["riders"] == 6
    assert "20 on" not in halfhour("scenario", "describe", folder).out
    fails(halfhour("scenario", "new", folder), "--force")
    fails(halfhour("scenario", "new", tmp_path / "x", "--orders", 0), "orders")


def test_scenario_import(halfhour, tmp_path):
    orders, riders = tmp_path / "orders.csv", tmp_path / "riders.csv"
    orders.write_text("placed_at,lat,lng,store_id,store_lat,store_lng\n2024-05-03 11:50:00,45.0,9.0,a,45.01,9.0\n")
    riders.write_text("rider_id,lat,lng,start_at,end_at\nr1,45.0,9.0,2024-05-03 11:00:00,2024-05-03 15:00:00\n")
    typed = halfhour("scenario", "import", orders, riders, "--out", tmp_path / "mine", "--json")
    assert json.loads(typed.out)["orders"] == 1
    assert halfhour("scenario", "validate", tmp_path / "mine").status == 0


def test_nothing_but_the_result_is_printed_when_piped(small_day, tmp_path):
    words = ["replay", str(small_day), "--policy", "nearest", "--json", "--out", str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, "-m", "halfhour", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["complete"] is True
    assert done.stderr == ""


def test_demo_replays_both_and_names_its_report(halfhour, tmp_path, monkeypatch):
    monkeypatch.setattr("sim.invent.lunch_peak.DEMO_SIZE", SMALL)
    typed = halfhour("demo", "--out", tmp_path / "demo", "--json")
    assert typed.status == 0
    found = json.loads(typed.out)
    assert found["halfhour"]["orders"] == found["nearest"]["orders"] == SMALL.orders
    assert found["halfhour"]["catalogue_digest"] == found["nearest"]["catalogue_digest"]
    assert "beside <b>nearest</b>" in (tmp_path / "demo" / "report.html").read_text()
    assert halfhour("verify", tmp_path / "demo" / "nearest").status == 0
    again = halfhour("demo", "--out", tmp_path / "demo")
    assert again.status == 2 and "output_exists" in again.err


def test_an_output_that_is_no_utf_8_gets_escapes_and_no_traceback():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    asked = "import halfhour.commands as h\ntry: h.main(['--version'])\nexcept SystemExit: print('Stra\\xdfe')"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, env=environment, text=True)
    assert done.returncode == 0 and "Stra\\xdfe" in done.stdout, done.stderr
