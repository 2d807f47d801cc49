"""The documents agree with the code: settings, transitions, words, links, and the examples run."""

from __future__ import annotations

import dataclasses
import importlib
import re

import pytest

from dispatch.version import __version__
from halfhour.commands import VERBS
from halfhour.replaying import replay
from tests.architecture.sources import ROOT
from tests.kit.pages import MADE, renewed

DOCS = ROOT / "docs"


@pytest.mark.parametrize("page", sorted({page for page, _ in MADE}))
def test_pages_made_from_the_code_are_current(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    assert renewed(page, text) == text, "run `python -m tests.kit.pages`"


WORDS = re.findall(r"^\| \*\*(.+?)\*\* \| `(.+?)` \|", (DOCS / "glossary.md").read_text(encoding="utf-8"), flags=re.M)


def test_the_glossary_has_words():
    assert len(WORDS) > 30
    assert len({word for word, _ in WORDS}) == len(WORDS)


@pytest.mark.parametrize(("word", "name"), WORDS)
def test_a_word_of_the_glossary_lives_in_the_code(word, name):
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        break
    else:
        pytest.fail(f"no module of {name}")
    for part in parts[cut:]:
        fields = {field.name for field in dataclasses.fields(found)} if dataclasses.is_dataclass(found) else set()
        assert hasattr(found, part) or part in fields, f"{name}: no {part}"
        found = getattr(found, part, None)


BANNED = {"courier", "couriers", "driver", "drivers", "restaurant", "restaurants", "depot"}


@pytest.mark.parametrize(
    "name",
    ["model", "inputs", "events", "board/board", "engine/engine", "settings/settings", "policies/view"],
)
def test_the_domain_uses_no_other_words(name):
    text = (ROOT / "dispatch" / f"{name}.py").read_text(encoding="utf-8").lower()
    assert not BANNED & set(re.findall(r"[a-z]+", text.replace("_", " ")))


def commands_in(text: str) -> list[str]:
    """The words after `halfhour` in code blocks and inline code."""
    blocks = re.findall(r"^halfhour ([a-z]+)", text, flags=re.M)
    return blocks + re.findall(r"`halfhour ([a-z]+)[^`]*`", text)


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_documented_commands_exist(page):
    known = {verb.name for verb in VERBS}
    assert set(commands_in((DOCS / page).read_text(encoding="utf-8"))) <= known


def test_the_policy_of_the_docs_runs(certain_day, tmp_path):
    page = (DOCS / "own-policy.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", page, flags=re.S)
    assert code is not None
    file = tmp_path / "my.py"
    file.write_text(code[1], encoding="utf-8")
    done = replay(certain_day, policy=f"{file}:OldestFirst", audit=True)
    assert done.summary["policy"] == "oldest-first"
    assert done.summary["policy_file"] == str(file)
    assert len(done.summary["policy_sha256"]) == 64
    # One order at a time, waiting for its goods: 14 riders carry some 45 of the 60 orders before their shifts end.
    assert done.summary["delivered"] >= 40
    assert done.run.violations == []


def test_the_changelog_begins_with_this_version():
    page = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased, newest = re.findall(r"^## (.+)$", page, flags=re.M)[:2]
    assert (unreleased, newest) == ("Unreleased", __version__)
