"""The example notebook runs from top to bottom, and says what it is there to say."""

from __future__ import annotations

import json
import os

import nbformat
import pytest
from nbclient import NotebookClient

from tests.architecture.sources import ROOT

NOTEBOOK = ROOT / "examples" / "replay.ipynb"


def test_it_is_committed_without_results():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")


@pytest.mark.slow
def test_it_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    book = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(book, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    results = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    tables = [result.data["text/plain"] for result in results if "data" in result]
    assert any("on_time_share" in table and "nearest" in table for table in tables)
