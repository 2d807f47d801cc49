"""The page "Bring your own city", walked through: its commands run, its files load, its Python works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from halfhour.commands import main

PAGE = Path(__file__).parents[2] / "docs" / "roads.md"
BLOCK = re.compile(r"(?:^`(?P<file>[\w.-]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    ran = {"sh": 0, "python": 0, "files": 0}
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        kind, body = block["kind"], block["body"]
        if block["file"]:
            (tmp_path / block["file"]).write_text(body, encoding="utf-8")
            ran["files"] += 1
        elif kind == "sh":
            for line in body.splitlines():
                program, *words = shlex.split(line)
                assert program == "halfhour"
                with pytest.raises(SystemExit) as left:
                    main(words)
                assert not left.value.code, line
                ran["sh"] += 1
        elif kind == "python":
            exec(compile(body, str(PAGE), "exec"), names)
            ran["python"] += 1
    assert ran == {"sh": 13, "python": 4, "files": 4}
    assert "Invented city" in (tmp_path / "lunch-run" / "report.html").read_text(encoding="utf-8")
    assert "Main Street" in capsys.readouterr().out
    # The morning rush slows both classes of the way.
    calm = names["RoadNetwork"].load("city.npz").travel_seconds(names["here"], names["there"], profile="car")
    assert names["morning"][0, 0] > 1.5 * calm[0, 0]
    assert names["ticks"].shape == names["metres"].shape == (1, 2, 2)
    assert names["truth"].version == names["city"].version == 5
    assert names["worst"] > 0
