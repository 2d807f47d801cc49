"""A first use says that it compiles, and a machine that keeps no files still runs."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from halfhour import compiling
from halfhour.compiling import VARIABLE, NoCacheFolder, compile_first, folder, keep_somewhere
from halfhour.compiling import compiling as words


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(compiling.atexit, "register", lambda *_, **__: None)
    return tmp_path / "cache"


def first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "is_first_use", lambda: True)
    monkeypatch.setattr(compiling, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(compiling, "LOG_EVERY_S", 0.01)


def test_a_folder_that_can_be_written_is_used_and_nothing_is_said(cache: Path, capsys: Any) -> None:
    keep_somewhere()
    assert folder() == cache and (cache / "kernels").is_dir()
    assert capsys.readouterr().err == ""


def test_a_folder_that_cannot_be_written_is_replaced_for_the_time_being(cache: Path, capsys: Any) -> None:
    cache.write_text("a file stands where the folder should be")
    keep_somewhere()
    assert folder() != cache and folder().is_dir() and os.environ[VARIABLE] == str(folder())
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and str(cache) in said and VARIABLE in said


def test_where_nothing_can_be_written_one_line_names_the_folder_and_the_variable(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write_text("a file")

    def full(**_: Any) -> str:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(compiling.tempfile, "mkdtemp", full)
    with pytest.raises(NoCacheFolder, match="Read-only") as refused:
        keep_somewhere()
    assert str(cache) in refused.value.message and VARIABLE in refused.value.hint


def test_a_command_goes_on_without_a_home(tmp_path: Path) -> None:
    """As in a container: no HOME that exists, no cache folder that can be made."""
    (tmp_path / "home").write_text("not a folder")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    environment |= {"HOME": str(tmp_path / "home"), "NUMBA_DISABLE_JIT": "1"}
    environment.pop(VARIABLE, None)
    words_ = [sys.executable, "-m", "halfhour", "scenario", "validate", str(tmp_path / "nowhere")]
    ended = subprocess.run(words_, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert "may not be written" in ended.stderr and VARIABLE in ended.stderr


def test_a_first_use_is_said_in_one_line_where_there_is_no_terminal(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    first_use(monkeypatch)
    with words():
        pass
    assert capsys.readouterr().err.count("\n") == 1
    with words(quiet=True):
        pass
    monkeypatch.setattr(compiling, "is_first_use", lambda: False)
    with words():
        pass
    assert capsys.readouterr().err == "", "not where nothing is compiled, and not beside JSON"


def test_a_first_start_is_said_in_the_log_with_how_far_it_is(
    cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: Any
) -> None:
    first_use(monkeypatch)
    with caplog.at_level(logging.INFO), words(has_log=True):
        (cache / "kernels" / "deep").mkdir(parents=True)
        (cache / "kernels" / "deep" / "search.nbi").touch()
        while not any(getattr(record, "count", None) == 1 for record in caplog.records):
            pass
    assert "takes minutes" in caplog.text and capsys.readouterr().err == ""


def test_a_first_use_shows_a_bar_on_a_terminal(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first_use(monkeypatch)
    shown: list[str] = []
    monkeypatch.setattr(compiling.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(compiling.ProgressBar, "pulse", lambda bar, note: shown.append(note))
    with words():
        while not shown:
            pass
    assert shown[0] == "0 parts"


def test_a_replay_compiles_before_its_day_begins(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    import api.solver.warm_up

    warmed: list[str] = []

    class Beside:
        def wait(self) -> None:
            warmed.append("beside")

    monkeypatch.setattr(api.solver.warm_up, "warm_up_rounds", lambda: warmed.append("here"))
    monkeypatch.setattr(api.solver.warm_up, "compile_beside", Beside)
    monkeypatch.setattr(compiling, "is_first_use", lambda: False)
    compile_first()
    assert not warmed
    first_use(monkeypatch)
    compile_first()
    assert warmed == ["here", "beside"]
