"""The example notebooks run from top to bottom, and say what they are there to say."""

from __future__ import annotations

import json
import os

import nbformat
import pytest
from nbclient import NotebookClient

from tests.architecture.sources import ROOT

NOTEBOOKS = {
    "replay": ("on_time_share", "nearest"),
    "promises": ("promise_p90_share", "begun with Monday"),
}
"""Words of a table in each."""


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "examples").glob("*.ipynb")))
def test_it_is_committed_without_results_and_says_what_it_shows(name):
    assert name in NOTEBOOKS
    cells = json.loads((ROOT / "examples" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(NOTEBOOKS))
def test_it_runs(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    book = nbformat.read(ROOT / "examples" / f"{name}.ipynb", as_version=4)
    NotebookClient(book, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    results = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    tables = [result.data["text/plain"] for result in results if "data" in result]
    assert any(all(word in table for word in NOTEBOOKS[name]) for table in tables)
