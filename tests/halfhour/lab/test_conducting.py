"""Experiments that are carried out: results kept by content, resumed, lost one by one, and judged as declared."""

from __future__ import annotations

import csv
import json
from concurrent.futures import Executor, Future

import pytest

from halfhour.comparing import Block
from halfhour.lab.conducting import conduct
from halfhour.lab.experiment import read_experiment
from halfhour.lab.folder import ExperimentFolder
from halfhour.lab.judging import looks_reached
from halfhour.lab.running import processes, run_all
from halfhour.lab.runs import days_of, planned
from halfhour.report.kpi_table import FIGURES
from routing.errors import InvalidInput
from sim.sources.folder_writer import write_folder
from tests.kit.dying import dying
from tests.sim.sources.test_table_doubts import crew, day, imported


class Here(Executor):
    """Does everything at once, in this process."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def submit(self, work, /, *args, **kwargs):
        future: Future = Future()
        try:
            future.set_result(work(*args, **kwargs))
        except Exception as problem:
            future.set_exception(problem)
        return future


FILE = """
policies = ["nearest", "greedy"]
seeds = 2
scenarios = ["days/*"]
looks = [2, 6]
[least_effect]
click_to_door_mean_s = 5
"""


@pytest.fixture
def declared(tmp_path):
    """Three small days in Wellington and two policies."""
    (tmp_path / "days").mkdir()
    for name, begin in (("mon", 0), ("tue", 7), ("wed", 30)):
        write_folder(tmp_path / "days" / name, imported(tmp_path, orders=day(begin=begin), riders=crew()))
    (tmp_path / "e.toml").write_text(FILE)
    return read_experiment(tmp_path / "e.toml")


def summary_of(run, door_s=600.0, **more):
    """An invented summary: the day, and luck that both policies share."""
    base = {figure.key: 1.0 for figure in FIGURES}
    return base | {"complete": True, "decision_digest": "d", "click_to_door_mean_s": door_s + 100 * run.seed, **more}


def greedy_is(gap_s):
    """Work that invents: greedy differs by the given seconds, day by day."""

    def work(run):
        gaps = {"mon": gap_s - 1, "tue": gap_s, "wed": gap_s + 1}
        return summary_of(run, 600.0 + (gaps[run.day.name] if run.arm.policy == "greedy" else 0))

    return work


def test_runs_go_block_by_block_round_the_days(declared, tmp_path):
    runs = planned(declared, days_of(declared, tmp_path))
    assert [(run.seed, run.day.name, run.arm.name) for run in runs[:6]] == [
        (1, "mon", "nearest"), (1, "mon", "greedy"), (1, "tue", "nearest"), (1, "tue", "greedy"), (1, "wed", "nearest"),
        (1, "wed", "greedy"),
    ]  # fmt: skip
    assert len({run.key for run in runs}) == len(runs) == 12


def test_a_large_difference_is_called_better_and_a_small_one_is_not(declared, tmp_path):
    found = conduct(declared, tmp_path / "out", jobs=1, make_executor=Here, work=greedy_is(-60.0))
    (two, six) = found.looks
    (judged,) = [one for one in six.judgements if one.verdict]
    assert (judged.arm, judged.key, judged.verdict, judged.more) == ("greedy", "click_to_door_mean_s", "better", 0)
    # Each day has two seeds and counts once: gaps -61, -60, -59.
    assert (six.unit, judged.paired.pairs, judged.paired.mean, judged.paired.deviation) == ("days", 3, -60.0, 1.0)
    assert (judged.reference, judged.value) == (750.0, 690.0)
    # The first look is judged on its own two blocks, two days.
    assert [one.paired.mean for one in two.judgements if one.verdict] == [-60.5]
    small = conduct(declared, tmp_path / "small", jobs=1, make_executor=Here, work=greedy_is(-3.0))
    (judged,) = [one for one in small.looks[-1].judgements if one.verdict]
    # -3 is less than the five seconds that were declared to matter: the interval of three days reaches beyond them.
    assert judged.verdict in ("inside the noise", "smaller than the least effect")
    written = json.loads((tmp_path / "small" / "report.json").read_text())
    assert written == small.report
    rows = list(csv.DictReader((tmp_path / "small" / "runs.csv").open()))
    assert len(rows) == 12 and {row["arm"] for row in rows} == {"nearest", "greedy"}
    assert "Further figures" in (tmp_path / "small" / "report.md").read_text()


def test_nothing_is_judged_between_the_looks(declared):
    """After five of six blocks only the look at two has been reached."""
    blocks = [Block(name, seed) for seed in (1, 2) for name in ("mon", "tue", "wed")]
    results = {arm.name: {block: {"click_to_door_mean_s": 1.0 * k} for k, block in enumerate(blocks[:5])}
               for arm in declared.arms}  # fmt: skip
    assert [look.blocks for look in looks_reached(declared, blocks, results, [])] == [2]
    lost = looks_reached(declared, blocks, results, [blocks[5]])
    assert [(look.blocks, look.complete) for look in lost] == [(2, 2), (6, 5)]


def test_alpha_is_divided_among_the_looks(declared, tmp_path):
    two = conduct(declared, tmp_path / "two", jobs=1, make_executor=Here, work=greedy_is(-60.0)).looks[-1]
    (tmp_path / "e.toml").write_text(FILE.replace("looks = [2, 6]\n", ""))
    one = conduct(
        read_experiment(tmp_path / "e.toml"), tmp_path / "one", jobs=1, make_executor=Here, work=greedy_is(-60.0)
    )
    widths = [next(each.paired.half_width for each in look.judgements if each.verdict) for look in (two, one.looks[-1])]
    # t(2) at 97.5 % and at 95 %: 6.205 and 4.303 times 1 / sqrt(3).
    assert widths == pytest.approx([6.2053 / 3**0.5, 4.3027 / 3**0.5], rel=1e-4)


def test_what_was_stopped_goes_on_where_it_was(declared, tmp_path):
    def stopping(run):
        if len(done) == 5:
            raise KeyboardInterrupt
        done.append(run.key)
        return greedy_is(-60.0)(run)

    done: list[str] = []
    stopped = conduct(declared, tmp_path / "out", jobs=1, make_executor=Here, work=stopping)
    assert stopped.interrupted and stopped.report["finished"] == 5 and not stopped.report["complete"]
    with pytest.raises(InvalidInput) as refused:
        conduct(declared, tmp_path / "out", jobs=1, make_executor=Here, work=stopping)
    assert refused.value.code == "output_exists" and "--resume" in refused.value.hint
    later: list[str] = []

    def going_on(run):
        later.append(run.key)
        return greedy_is(-60.0)(run)

    resumed = conduct(declared, tmp_path / "out", jobs=1, resume=True, make_executor=Here, work=going_on)
    whole = conduct(declared, tmp_path / "whole", jobs=1, make_executor=Here, work=greedy_is(-60.0))
    assert len(later) == 7 and not set(later) & set(done)
    assert resumed.report == whole.report
    for name in ("report.json", "report.md", "runs.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_file_that_changed_since_the_start_is_refused_in_words(declared, tmp_path):
    conduct(declared, tmp_path / "out", jobs=1, make_executor=Here, work=greedy_is(-60.0))
    changes = {
        "looks = [2, 6]": ("looks = [3, 6]", "looks was [2, 6], is [3, 6]"),
        "click_to_door_mean_s = 5": ("click_to_door_mean_s = 4", "click_to_door_mean_s was 5.0, is 4.0"),
        '["nearest", "greedy"]': ('["nearest", "batch"]', "without greedy, with batch"),
        "seeds = 2": ("seeds = [2, 1]", "seeds was [1, 2], is [2, 1]"),
    }
    for old, (new, words) in changes.items():
        (tmp_path / "e.toml").write_text(FILE.replace(old, new))
        with pytest.raises(InvalidInput) as refused:
            conduct(read_experiment(tmp_path / "e.toml"), tmp_path / "out", resume=True, make_executor=Here)
        assert refused.value.code == "experiment_changed" and words in refused.value.message
    (tmp_path / "e.toml").write_text(FILE)
    orders = tmp_path / "days" / "tue" / "orders.csv"
    orders.write_text(orders.read_text().replace("17:42:00,", "17:43:00,", 1))
    with pytest.raises(InvalidInput, match="days: tue no longer hold what they held"):
        conduct(declared, tmp_path / "out", resume=True, make_executor=Here)


def test_one_day_under_two_names_is_refused(declared, tmp_path):
    write_folder(tmp_path / "days" / "again", imported(tmp_path, orders=day(begin=7), riders=crew()))
    with pytest.raises(InvalidInput, match="again and tue are one day under two names"):
        conduct(read_experiment(tmp_path / "e.toml"), tmp_path / "out", make_executor=Here)


def test_a_run_that_raises_loses_only_itself(declared, tmp_path):
    def failing(run):
        if (run.arm.name, run.day.name, run.seed) == ("greedy", "tue", 2):
            raise ValueError("no way")
        return greedy_is(-60.0)(run)

    found = conduct(declared, tmp_path / "out", jobs=1, make_executor=Here, work=failing)
    assert found.report["lost"] == [{"run": "greedy, tue, seed 2", "why": "ValueError: no way"}]
    # Its block is left out on both sides: five complete blocks, still three days.
    assert (found.looks[-1].blocks, found.looks[-1].complete) == (6, 5)
    again = conduct(declared, tmp_path / "out", jobs=1, resume=True, make_executor=Here, work=greedy_is(-60.0))
    assert again.report["complete"] and not again.report["lost"]


def test_a_process_that_dies_loses_one_run(declared, tmp_path):
    runs = planned(declared, days_of(declared, tmp_path))[:6]
    kept = []
    lost = run_all(runs, dying, lambda run, summary: kept.append(run), jobs=2, make_executor=processes)
    assert [(one.run.title, one.why) for one in lost] == [("greedy, tue, seed 1", "its process died")]
    assert sorted(run.key for run in kept) == sorted(run.key for run in runs if run.title != "greedy, tue, seed 1")


def test_a_result_that_was_cut_off_is_made_anew(declared, tmp_path):
    conduct(declared, tmp_path / "out", jobs=1, make_executor=Here, work=greedy_is(-60.0))
    file = next((tmp_path / "out" / "runs").iterdir())
    file.write_text(file.read_text()[:40])
    asked = []
    conduct(declared, tmp_path / "out", jobs=1, resume=True, make_executor=Here,
            work=lambda run: asked.append(run.key) or greedy_is(-60.0)(run))  # fmt: skip
    assert asked == [file.stem]


def test_real_runs_share_their_luck(declared, tmp_path):
    """Nearest searches nothing: under another search seed it meets the same luck and decides the same."""
    text = FILE.replace("seeds = 2", "seeds = [7]").replace("looks = [2, 6]\n", "")
    text = text.replace('["nearest", "greedy"]', '["nearest"]') + '[settings]\n"search.seed" = [1, 2]\n'
    (tmp_path / "e.toml").write_text(text)
    declared = read_experiment(tmp_path / "e.toml")
    found = conduct(declared, tmp_path / "out", jobs=1, make_executor=Here)
    folder = ExperimentFolder(tmp_path / "out")
    runs = planned(declared, days_of(declared, tmp_path))
    digests = {(run.arm.name, run.day.name): folder.result(run)["decision_digest"] for run in runs}
    for name in ("mon", "tue", "wed"):
        assert digests["nearest search.seed=1", name] == digests["nearest search.seed=2", name]
    assert all(one.paired.mean == 0.0 for one in found.looks[-1].judgements)


def test_the_command(halfhour, declared, tmp_path):
    plan = json.loads(halfhour("experiment", tmp_path / "e.toml", "--plan", "--json").out)
    assert (plan["runs"], plan["blocks"], plan["looks"], plan["alpha_per_look"]) == (12, 6, [2, 6], 0.025)
    assert "nearest  (reference)" in halfhour("experiment", tmp_path / "e.toml", "--plan").out
    halfhour("experiment", tmp_path / "e.toml", "--out", tmp_path / "out", "--jobs", "1")
    again = halfhour("experiment", tmp_path / "e.toml", "--out", tmp_path / "out")
    assert again.status == 2 and "output_exists" in again.err
    resumed = halfhour("experiment", tmp_path / "e.toml", "--out", tmp_path / "out", "--resume", "--json")
    assert resumed.status == 0 and json.loads(resumed.out)["finished"] == 12


def test_days_that_were_invented_otherwise_are_another_experiment(tmp_path):
    text = (
        'policies = ["nearest", "greedy"]\nseeds = 1\n[invented]\ndays = 2\norders = 8\nriders = 3\nstores = 2\n'
        "hours = 0.5\n[least_effect]\nclick_to_door_mean_s = 5\n"
    )
    file = tmp_path / "e.toml"
    file.write_text(text)
    conduct(read_experiment(file), tmp_path / "out", jobs=1, make_executor=Here, work=greedy_is(-60.0))
    file.write_text(text.replace("orders = 8", "orders = 9"))
    with pytest.raises(InvalidInput, match=r"orders was 8, is 9") as refused:
        conduct(read_experiment(file), tmp_path / "out", resume=True, make_executor=Here)
    assert refused.value.code == "experiment_changed"
    plan = tmp_path / "out" / "plan.json"
    begun = json.loads(plan.read_text())
    del begun["invented"]  # as plans were before
    plan.write_text(json.dumps(begun))
    file.write_text(text)
    conduct(read_experiment(file), tmp_path / "out", jobs=1, resume=True, make_executor=Here, work=greedy_is(-60.0))
