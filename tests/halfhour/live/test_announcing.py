"""What `halfhour serve` says once it is ready."""

from __future__ import annotations

import io
import json

import pytest

from halfhour.commands.live import serve


class Stream(io.StringIO):
    """A stream that is a terminal, or is none."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def options(as_json: bool) -> serve.Options:
    return serve.Options("ledger", as_json, False, False, 1.0, False, "node", False, 10.0, True, None)


@pytest.mark.parametrize(("out", "log", "times"), [(True, True, 0), (True, False, 1), (False, True, 1)])
def test_a_note_is_said_once_on_each_way_out(monkeypatch: pytest.MonkeyPatch, out: bool, log: bool, times: int) -> None:
    said = Stream(out)
    monkeypatch.setattr("sys.stdout", said)
    monkeypatch.setattr("sys.stderr", Stream(log))
    serve._announce("http://here", {}, options(False), ["the setting stands"])
    assert said.getvalue().count("note: the setting stands") == times  # where both are one terminal, the log has it


def test_a_program_that_starts_a_service_gets_the_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Stream(True)
    monkeypatch.setattr("sys.stdout", said)
    monkeypatch.setattr("sys.stderr", Stream(True))
    serve._announce("http://here", {"ops": "k"}, options(True), ["the setting stands"])
    assert json.loads(said.getvalue())["notes"] == ["the setting stands"]
