"""The table of published days on a day small enough for a test: replayed, judged, written."""

from __future__ import annotations

import csv

import pytest

from benchmarks.days import grubhub, grubhub_page
from tests.kit.data import folder, needs_data

ROWS = ["nearest", "halfhour"]


@pytest.fixture(scope="module")
def instances(tmp_path_factory):
    """Two published-format days: three stores on a line, two couriers, an order every four minutes."""
    top = tmp_path_factory.mktemp("days")
    for name, speed in (("0o50a", 300), ("1o50t100s1p100", 200)):
        place = top / name
        place.mkdir()
        (place / "instance_parameters.txt").write_text(
            "meters_per_minute\tpickup service minutes\tdropoff service minutes\ttarget click-to-door\t"
            f"maximum click-to-door\tpay per order\tguaranteed pay per hour\n{speed}\t4\t4\t40\t90\t10\t15\n"
        )
        stores = "".join(f"r{n}\t{n * 1500}\t0\n" for n in range(3))
        (place / "restaurants.txt").write_text("restaurant\tx\ty\n" + stores)
        (place / "couriers.txt").write_text("courier\tx\ty\ton_time\toff_time\nc0\t0\t0\t0\t120\nc1\t3000\t0\t0\t120\n")
        lines = [f"o{n}\t{n * 700 % 4000}\t{n * 300 % 1300}\t{4 * n}\tr{n % 3}\t{4 * n + 12}\n" for n in range(12)]
        header = "order\tx\ty\tplacement_time\trestaurant\tready_time\n"
        (place / "orders.txt").write_text(header + "".join(lines))
    return top


def test_every_row_is_replayed_and_judged(instances, tmp_path):
    out = tmp_path / "results" / "table"
    options = ["--data", str(instances), "--rows", ",".join(ROWS), "--seeds", "1,2", "--out", str(out)]
    assert grubhub.main(options) == 0
    with out.with_suffix(".csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert [(line["row"], line["instance"], line["seed"]) for line in lines] == [
        (row, name, seed)
        for row, seeds in (("nearest", "1"), ("halfhour", "12"))
        for name in ("0o50a", "1o50t100s1p100")
        for seed in seeds
    ], "nearest has no luck: one seed is enough"
    assert {line["violations"] for line in lines} == {"0"}
    assert all(float(line["excess"]) >= 0 for line in lines), "the floor is a floor"
    page = out.with_suffix(".md").read_text()
    assert "## The hardest day (1o50t100s1p100)" in page
    assert page.count("\n| nearest |") == 3, "all days, the half days, the hardest"
    assert page.count("\n| 0o50a |") == 1


def test_a_stopped_run_goes_on_where_it_stopped(instances, tmp_path, monkeypatch):
    out, again = tmp_path / "whole", tmp_path / "stopped"
    options = ["--data", str(instances), "--rows", "nearest,greedy", "--solutions", str(tmp_path / "solutions")]
    assert grubhub.main([*options, "--out", str(out)]) == 0
    assert not out.with_suffix(".jsonl").exists(), "the page is written: nothing to go on with"
    assert (tmp_path / "solutions" / "greedy" / "0o50a-1" / "assignments.csv").exists()

    replayed, real = [], grubhub.replay_and_judge

    def stopped_at_the_fourth(row, *rest):
        if len(replayed) == 3:
            raise KeyboardInterrupt
        replayed.append(row)
        return real(row, *rest)

    monkeypatch.setattr(grubhub, "replay_and_judge", stopped_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        grubhub.main([*options, "--out", str(again)])
    assert grubhub.main([*options, "--out", str(again), "--finished"]) == 0
    page = again.with_suffix(".md").read_text()
    assert "2 replays" in page and "greedy" not in page, "greedy has been on one of two days"
    with again.with_suffix(".jsonl").open("a") as stream:
        stream.write('{"row": "greedy", "inst')
    monkeypatch.setattr(grubhub, "replay_and_judge", lambda row, *rest: replayed.append(row) or real(row, *rest))
    assert grubhub.main([*options, "--out", str(again)]) == 0
    assert replayed == ["nearest", "nearest", "greedy", "greedy"], "each once"
    times = {"run_cpu_s", "worst_round_s"}
    with out.with_suffix(".csv").open() as one, again.with_suffix(".csv").open() as other:
        for left, right in zip(csv.DictReader(one), csv.DictReader(other), strict=True):
            assert {key: left[key] for key in left if key not in times} == {
                key: right[key] for key in right if key not in times
            }


def test_replays_of_other_code_are_not_mixed_in(instances, tmp_path, capsys):
    (tmp_path / "table.jsonl").write_text('{"code": "older"}\n')
    assert grubhub.main(["--data", str(instances), "--rows", "nearest", "--out", str(tmp_path / "table")]) == 2
    assert "other code" in capsys.readouterr().err


def test_means_are_over_instances_and_spread_over_seeds():
    def result(instance, seed, excess):
        measures = dict.fromkeys(grubhub_page.MEASURES, 0.0) | {"excess": excess}
        return grubhub_page.Result("nearest", instance, seed, {}, measures, 1.0, 0.1, "d")

    results = [result("a", 1, 1.0), result("b", 1, 3.0), result("a", 2, 2.0), result("b", 2, 4.0)]
    page = grubhub_page.as_page(results, "x.csv")
    assert "| nearest | 2.50 ± 0.50 | 0.00 ± 0.00 |" in page
    assert "| b | 3.50 ± 0.50 |" in page
    assert "Row *" not in page
    # A row that lacks a seed is said to; one without luck needs no more than one.
    assert "Row *nearest*: 3 replays, seeds 1, 2." in grubhub_page.as_page(results[:3], "x.csv")
    assert "Row *" not in grubhub_page.as_page(results[:3], "x.csv", ["nearest"])


WRONG = [["--rows", "nobody"], ["--instances", "9x"], ["--data", "nowhere"], ["--finished"]]


@pytest.mark.parametrize("options", WRONG)
def test_what_is_not_there_is_said(instances, capsys, options):
    given = options if "--data" in options else ["--data", str(instances), *options]
    assert grubhub.main(given) == 2
    assert "there is no" in capsys.readouterr().err


@needs_data
def test_a_published_day_breaks_no_rule():
    result = grubhub.replay_and_judge("insertion", folder("grubhub", "0r50t75s2p125"), seed=1)
    assert result.violations == {}
    assert result.measures["undelivered"] == 0
