"""Experiment files: the grid they stand for, and what is refused in them."""

from __future__ import annotations

import pytest

from halfhour.lab.experiment import read_experiment
from routing.errors import InvalidInput, UnreadableFile

FILE = """
name = "bags"
policies = ["halfhour", "nearest"]
seeds = [4, 9]
looks = [3, 6]
alpha = 0.1
[settings]
"rules.max_batch" = [2, 3]
"rules.round_s" = 20
[invented]
days = 3
orders = 40
[least_effect]
on_time_share = 0.01
"""


def read(folder, text):
    (folder / "e.toml").write_text(text)
    return read_experiment(folder / "e.toml")


def test_a_grid_of_policies_settings_days_and_seeds(tmp_path):
    found = read(tmp_path, FILE)
    assert [arm.name for arm in found.arms] == [
        "halfhour rules.max_batch=2", "halfhour rules.max_batch=3",
        "nearest rules.max_batch=2", "nearest rules.max_batch=3",
    ]  # fmt: skip
    assert found.arms[1].settings == (("rules.max_batch", 3), ("rules.round_s", 20))
    assert (found.blocks, found.seeds, found.looks, found.alpha) == (6, (4, 9), (3, 6), 0.1)
    assert found.invented[0].seeds == (1, 2, 3) and found.invented[0].size.orders == 40


def test_scenarios_are_seen_from_the_file(tmp_path):
    for name in ("mon", "tue", "wed"):
        (tmp_path / "days" / name).mkdir(parents=True)
    text = FILE.replace("[settings]", 'scenarios = ["days/t*", "days/mon"]\n[settings]').replace("looks = [3, 6]\n", "")
    found = read(tmp_path, text)
    assert [path.name for path in found.scenarios] == ["tue", "mon"]
    # Two folders and three invented days, two seeds each; without looks there is one, at the end.
    assert (found.blocks, found.looks) == (10, (10,))


REFUSED = [
    ("seeds = [4, 9]", "sedes = 3", "sedes", "Did you mean seeds"),
    ("seeds = [4, 9]", "seeds = [4, 4]", "seeds", "no number of seeds"),
    ("seeds = [4, 9]", "seeds = -1", "seeds", "no number of seeds"),
    ("seeds = [4, 9]", "seeds = true", "seeds", "no number of seeds"),
    ('["halfhour", "nearest"]', '["halfhour", "nearst"]', "policies", "Did you mean nearest"),
    ('["halfhour", "nearest"]', '"halfhour"', "policies", "no list"),
    ("rules.max_batch", "rules.max_bath", "rules.max_bath", "Did you mean rules.max_batch"),
    ("[2, 3]", "[2, 2]", "settings.rules.max_batch", "different values"),
    ("[2, 3]", "[2, 99999999]", "rules.max_batch", "out of bounds"),
    ("[2, 3]", "[]", "settings.rules.max_batch", "different values"),
    ("looks = [3, 6]", "looks = [3, 7]", "looks", "from 2 to 6"),
    ("looks = [3, 6]", "looks = [6, 3]", "looks", "rising"),
    ("looks = [3, 6]", "looks = 6", "looks", "rising"),
    ("alpha = 0.1", "alpha = 5", "alpha", "no level"),
    ("alpha = 0.1", 'units = "weeks"', "units", "days, blocks"),
    ("orders = 40", "orders = 0", "orders", "1 to 60000"),
    ("orders = 40", 'orders = "many"', "invented", "cannot be understood"),
    ("orders = 40", "order = 40", "invented.order", "Did you mean orders"),
    ("on_time_share = 0.01", "on_time = 0.01", "least_effect.on_time", "Did you mean on_time_share"),
    ("on_time_share = 0.01", "on_time_share = 0", "least_effect.on_time_share", "above 0"),
    ("on_time_share = 0.01", "", "least_effect", "no figure would be judged"),
    ("[invented]", 'scenarios = ["nowhere/*"]\n[invented]', "settings.scenarios", ""),
    ("[settings]", 'scenarios = ["nowhere/*"]\n[settings]', "scenarios", "names nothing"),
    ("[invented]", "[truth]\ntravel_sigm = 0.1\n[invented]", "truth.travel_sigm", "Did you mean travel_sigma"),
    ("[invented]", "[truth]\ntravel_sigma = -1\n[invented]", "truth.travel_sigma", "negative"),
    ("days = 3", "days = 90000", "seeds", "runs are more than"),
]


@pytest.mark.parametrize(("old", "new", "field", "words"), REFUSED, ids=[case[1] or case[3] for case in REFUSED])
def test_what_cannot_be_is_refused_with_its_key(tmp_path, old, new, field, words):
    assert old in FILE
    with pytest.raises(InvalidInput) as found:
        read(tmp_path, FILE.replace(old, new))
    assert words in str(found.value)
    assert found.value.details["file"].endswith("e.toml") and found.value.details["field"] in (field, field[9:])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[least_effect]\non_time_share = 1\n", "there is no day"),
        ("[invented]\ndays = 4\n[least_effect]\non_time_share = 1\n", "there is one configuration"),
        ('policies = ["nearest", "batch"]\n[invented]\n[least_effect]\non_time_share = 1\n', "one block tells nothing"),
    ],
)
def test_an_experiment_needs_days_and_two_configurations(tmp_path, text, words):
    with pytest.raises(InvalidInput, match=words):
        read(tmp_path, text)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(UnreadableFile):
        read(tmp_path, "name = ")
    with pytest.raises(UnreadableFile):
        read_experiment(tmp_path / "none.toml")
