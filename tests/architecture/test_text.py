"""What is committed speaks of the project alone, and its documents hold together."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath

import pytest

from tests.architecture.sources import ROOT, committed, modules

TEXT = {".py", ".md", ".toml", ".json", ".csv", ".ipynb", ".html", ".css", ".js", ".yml", ".yaml", ".txt", ".sh", ""}
# A file that only works on the machine it was written on, or names where packages come from, is not for everybody.
FOREIGN = re.compile(
    r"(?<![\w.~}/:-])/(?:work|root|home|opt|Users|mnt)/[A-Za-z0-9_.]"
    r"|\b[A-Z]:\\\\?[A-Za-z]"
    r"|(?:pythonhosted|npmjs|debian)\.org|\bpypi\.org"
    r"|\b(?:issue|ticket|PR) ?#?\d+\b|(?<![\w&/#\"'(=])#\d{1,4}\b(?![\da-fA-F])"
    r"|\b(?:TODO|FIXME|XXX|HACK)\b"
)
HERE = "tests/architecture/"


def readable() -> list[str]:
    """Committed text files, the rules about text excepted."""
    return [
        path
        for path in committed()
        if PurePosixPath(path).suffix in TEXT and not path.startswith(HERE) and "/data/" not in f"/{path}"
    ]


@pytest.mark.parametrize("path", readable())
def test_no_foreign_matter(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    numbered = enumerate(text.splitlines(), 1)
    assert [f"{number}: {line.strip()[:120]}" for number, line in numbered if FOREIGN.search(line)] == []


@pytest.mark.parametrize(
    "line",
    [
        'open("/work/main/x.csv")',
        "see /home/anna/x",
        "see issue 12",
        "Fixes #12.",
        "# TODO later",
        "index at https://pypi.org/simple",
    ],
)
def test_foreign_matter_is_seen(line):
    assert FOREIGN.search(line)


@pytest.mark.parametrize("line", ["color: #123456;", "GET /v1/home/x", "a/root/b", "[x](#12-steps)", "tests/work/x"])
def test_ordinary_text_is_not(line):
    assert not FOREIGN.search(line)


@pytest.mark.parametrize("path", [path for path in committed() if path.endswith(".md")])
def test_links_of_documents_lead_somewhere(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith(("#", "mailto:")):
            continue
        goal = ((ROOT / path).parent / target.split("#", 1)[0]).resolve()
        if not goal.exists() or not goal.is_relative_to(ROOT):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("source", modules(), ids=lambda source: source.path)
def test_a_module_says_what_it_is(source):
    assert ast.get_docstring(source.tree) or not source.text.strip(), "no docstring"
