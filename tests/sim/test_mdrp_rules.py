"""The judge of the meal-delivery rules on a day small enough to check by hand, whole and broken in every way."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks.days.mdrp_check import main
from routing.errors import UnreadableFile
from sim.mdrp.rules import judge, read_instance, read_solution

# Speed 100 m/min.  r1 (0, 0), r2 (1000, 0); c1 starts at (-300, 0), c2 at r2's door; o1 and o2 of r1, o3 of r2.
#   r1 -> o1: ceil(450 / 100) = 5;  o1 -> o2: 550 / 100 -> 6;  r2 -> o3: 200 / 100 = 2;  o2 -> r2: 0
INSTANCE = {
    "instance_parameters.txt": "mpm\tpick\tdrop\ttarget\tmax\torder\thour\n100\t4\t4\t40\t90\t10\t15\n",
    "restaurants.txt": "restaurant\tx\ty\nr1\t0\t0\nr2\t1000\t0\n",
    "couriers.txt": "courier\tx\ty\ton_time\toff_time\nc1\t-300\t0\t0\t120\nc2\t1000\t0\t10\t70\n",
    "orders.txt": "order\tx\ty\tplacement_time\trestaurant\tready_time\n"
    "o1\t450\t0\t5\tr1\t20\no2\t1000\t0\t8\tr1\t22\no3\t1200\t0\t30\tr2\t40\n",
}
# c1 leaves at 5, is at r1 at 8, waits for o2, picks up at 22, leaves at 24: o1 at 29 + 2 = 31, left at 33, o2 at
# 39 + 2 = 41, left at 43.  c2 stands at r2 (no travel), picks up at 42, leaves at 44, is there at 46, drops at 48.
SOLUTION = {
    "assignments": ["8 22 c1 o1 o2", "30 42 c2 o3"],
    "orders": ["o1 5 20 22 31 c1", "o2 8 22 22 41 c1", "o3 30 40 42 48 c2"],
    "moves": ["c1 5 0 r1", "c1 24 r1 o1", "c1 33 o1 o2", "c2 30 0 r2", "c2 44 r2 o3"],
}
HEADERS = {"assignments": "assigned pickup courier", "orders": "order placed", "moves": "courier departure"}


def written(folder, instance=None, **changes):
    """Instance and solution as folders; `changes` replace files of the solution."""
    day, answer = folder / "day", folder / "answer"
    for place in (day, answer):
        place.mkdir(exist_ok=True)
    for name, text in (INSTANCE | (instance or {})).items():
        (day / name).write_text(text)
    for name, lines in (SOLUTION | changes).items():
        (answer / f"{name}.csv").write_text("\n".join([HEADERS[name], *lines]) + "\n")
    return day, answer


def verdict_of(folder, liberty="updates", **changes):
    day, answer = written(folder, **changes)
    return judge(read_instance(day), read_solution(answer), liberty)


def changed(name, old, new):
    """One file of the solution with one line replaced (or, with None, left out)."""
    assert old in SOLUTION[name]
    return {name: [new if line == old else line for line in SOLUTION[name] if line != old or new is not None]}


def test_a_good_day_is_feasible_and_measured(tmp_path):
    verdict = verdict_of(tmp_path)
    assert verdict.violations == []
    measures = verdict.measures
    # click-to-door 26, 33, 18; ready-to-pickup 2, 0, 2; floors: o1 15 + 4 + 5, o2 14 + 4 + 10, o3 10 + 4 + 2
    assert measures["click_to_door"] == pytest.approx((26 + 33 + 18) / 3)
    assert measures["ready_to_pickup"] == pytest.approx(4 / 3)
    assert measures["floor"] == pytest.approx((24 + 28 + 16) / 3)
    assert measures["excess"] == pytest.approx(9 / 3)
    # pay: c1 max(20, 30), c2 max(10, 15); driven: 3 + 5 + 6 and 0 + 2
    assert measures["pay"] == 45
    assert measures["pay_per_order"] == 15
    assert measures["driven_per_order"] == pytest.approx(16 / 3)
    # work: c1 (14 + 2 * 4 + 4) / 120, c2 (2 + 4 + 4) / 60
    assert measures["utilisation"] == pytest.approx((26 / 120 + 10 / 60) / 2)
    assert measures["bundled_pct"] == pytest.approx(200 / 3)
    assert measures["empty_moves"] == 0
    assert measures["failed_pct"] == 0


def test_an_order_left_out_costs_two_hours_and_counts_as_failed(tmp_path):
    verdict = verdict_of(
        tmp_path, assignments=SOLUTION["assignments"][:1], orders=SOLUTION["orders"][:2], moves=SOLUTION["moves"][:3]
    )
    assert verdict.feasible
    assert verdict.measures["undelivered"] == 1
    assert verdict.measures["failed_pct"] == pytest.approx(100 / 3)
    assert verdict.measures["excess"] == pytest.approx((26 + 33 + 120 - 24 - 28 - 16) / 3)


def test_a_hopeless_order_is_charged_beyond_its_floor_and_not_counted_as_failed(tmp_path):
    far = INSTANCE["orders.txt"].replace("o3\t1200\t0", "o3\t9000\t0")  # floor 10 + 4 + 80 = 94 > 90
    verdict = verdict_of(
        tmp_path, instance={"orders.txt": far}, assignments=SOLUTION["assignments"][:1],
        orders=SOLUTION["orders"][:2], moves=SOLUTION["moves"][:3],
    )  # fmt: skip
    assert verdict.feasible
    assert (verdict.measures["hopeless"], verdict.measures["failed_pct"]) == (1, 0)
    assert verdict.measures["excess"] == pytest.approx((26 + 33 + 94 + 60 - 24 - 28 - 94) / 3)


BROKEN = [
    ("unknown", changed("assignments", "30 42 c2 o3", "30 42 c2 o9")),
    ("unknown", changed("assignments", "30 42 c2 o3", "42 42 c9 o3")),
    ("unknown", changed("assignments", "30 42 c2 o3", "30 42 c2")),
    ("unknown", {"moves": [*SOLUTION["moves"], "c9 5 0 r1"]}),
    ("unknown", {"orders": [*SOLUTION["orders"], "o9 5 20 22 31 c1"]}),
    ("twice", changed("assignments", "30 42 c2 o3", "30 42 c2 o3 o1")),
    ("clairvoyant", changed("assignments", "8 22 c1 o1 o2", "7 22 c1 o1 o2")),
    ("clairvoyant", changed("assignments", "30 42 c2 o3", "43 42 c2 o3")),
    ("mixed", changed("assignments", "8 22 c1 o1 o2", "30 40 c1 o1 o3")),
    ("not_ready", changed("assignments", "8 22 c1 o1 o2", "8 21 c1 o1 o2")),
    ("off_time", changed("assignments", "30 42 c2 o3", "42 71 c2 o3")),
    ("off_duty", changed("moves", "c2 30 0 r2", "c2 9 0 r2")),
    ("teleport", changed("moves", "c1 33 o1 o2", "c1 33 r2 o2")),
    ("early", {"moves": [*SOLUTION["moves"][:3], "c2 30 0 r1", "c2 31 r1 r2", "c2 44 r2 o3"]}),
    ("pickup_service", changed("moves", "c1 24 r1 o1", "c1 23 r1 o1")),
    ("pickup_service", changed("moves", "c1 5 0 r1", "c1 18 0 r1")),
    ("dropoff_service", changed("moves", "c1 33 o1 o2", "c1 32 o1 o2")),
    ("dropoff_service", changed("orders", "o3 30 40 42 48 c2", "o3 30 40 42 47 c2")),
    ("wrong_stop", changed("moves", "c1 33 o1 o2", None)),
    ("wrong_stop", changed("moves", "c1 5 0 r1", "c1 5 0 r2")),
    ("wrong_stop", {"moves": [*SOLUTION["moves"], "c2 60 o3 o1"]}),
    ("untold", changed("moves", "c1 5 0 r1", "c1 4 0 r1")),
    ("untold", {"moves": [*SOLUTION["moves"], "c2 60 o3 r1"]}),
    ("mismatch", changed("orders", "o3 30 40 42 48 c2", "o3 30 40 42 48 c1")),
    ("mismatch", changed("orders", "o3 30 40 42 48 c2", "o3 30 40 41 48 c2")),
    ("mismatch", changed("orders", "o3 30 40 42 48 c2", "o3 29 40 42 48 c2")),
    ("mismatch", changed("orders", "o3 30 40 42 48 c2", None)),
    ("mismatch", {"orders": [*SOLUTION["orders"], "o3 30 40 42 48 c2"]}),
    ("mismatch", changed("assignments", "30 42 c2 o3", None)),
]


@pytest.mark.parametrize(("code", "changes"), BROKEN)
def test_every_rule_has_its_code(tmp_path, code, changes):
    assert code in verdict_of(tmp_path, **changes).counts()


def test_every_code_is_broken_above():
    text = Path(judge.__code__.co_filename).read_text(encoding="utf-8")
    raised = re.findall(r'(?:Violation|_wrong)\(\s*"(\w+)"', text) + re.findall(r'too_early = [^=]*"(\w+)"', text)
    assert set(raised) == {code for code, _ in BROKEN}


def test_an_empty_move_is_a_liberty(tmp_path):
    early = changed("moves", "c1 5 0 r1", "c1 1 0 r1")
    assert verdict_of(tmp_path, **early).counts() == {"untold": 1}
    allowed = verdict_of(tmp_path, "preposition", **early)
    assert allowed.feasible
    assert allowed.measures["empty_moves"] == 1


def test_growing_a_bundle_is_a_liberty(tmp_path):
    # c1 leaves at 5 for o1, and at 8 o2 is added: strictly they may not leave before the last decision.
    assert verdict_of(tmp_path, "strict").counts() == {"untold": 1}
    assert verdict_of(tmp_path, "strict", **changed("moves", "c1 5 0 r1", "c1 8 0 r1")).feasible


def test_whole_minutes_of_travel_survive_exact_multiples(tmp_path):
    day = read_instance(written(tmp_path)[0])
    assert day.travel("c1", "r1") == 3
    assert day.travel("r1", "o1") == 5
    assert day.travel("r2", "c2") == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("orders.csv", "order placed\no1 5 x 22 31 c1\n"),
        ("moves.csv", "courier\nc1 5 0\n"),
        ("assignments.csv", "a\n1 inf c1 o1\n"),
    ],
)
def test_what_cannot_be_read_names_file_and_line(tmp_path, name, text):
    _, answer = written(tmp_path)
    (answer / name).write_text(text)
    with pytest.raises(UnreadableFile) as problem:
        read_solution(answer)
    assert problem.value.details["line"] == 2
    assert problem.value.details["file"].endswith(name)


def test_the_command_speaks_by_its_exit_status(tmp_path, capsys):
    day, answer = written(tmp_path)
    assert main([str(day), str(answer), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["feasible"] is True
    assert said["excess"] == pytest.approx(3)
    written(tmp_path, **changed("assignments", "30 42 c2 o3", "42 71 c2 o3"))
    assert main([str(day), str(answer)]) == 1
    assert "off_time x 1" in capsys.readouterr().out
    assert main([str(day), str(tmp_path / "nowhere")]) == 2
