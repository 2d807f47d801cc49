"""Finished replays of a long table, kept line by line, so that a run that was stopped goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from routing.errors import UnreadableFile

ROOT = Path(__file__).resolve().parent.parent
DECIDING = ("dispatch", "routing", "sim", "halfhour/policies.py")
"""What the figures of a replay follow from."""

Key = tuple[str, str, int]
"""Row, instance, seed."""


def code_digest(deciding: Sequence[str] = DECIDING) -> str:
    """A digest of every source that figures follow from; `deciding`: folders and files."""
    found = hashlib.sha256()
    for name in deciding:
        path = ROOT / name
        for source in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            found.update(source.relative_to(ROOT).as_posix().encode())
            found.update(source.read_bytes())
    return found.hexdigest()[:16]


class Kept:
    """The file of finished replays; those of another code are never mixed with new ones.

    `deciding`: folders and files of the code that counts.
    """

    def __init__(self, path: Path, deciding: Sequence[str] = DECIDING) -> None:
        self.path = path
        self._found: dict[Key, Mapping[str, Any]] = {}
        code = code_digest(deciding)
        if path.exists():
            text = path.read_text(encoding="utf-8")
            whole = text[: text.rfind("\n") + 1]
            if whole != text:  # the last line was being written when the run was stopped
                path.write_text(whole, encoding="utf-8")
            head, *lines = whole.splitlines() or ["{}"]
            made_by = json.loads(head).get("code")
            if made_by != code:
                raise UnreadableFile(
                    f"the replays kept in {path} were made by other code", file=str(path),
                    hint="Delete the file to begin anew, or go back to the code that made it.",
                )  # fmt: skip
            for line in map(json.loads, lines):
                self._found[line["row"], line["instance"], line["seed"]] = line
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"code": code}) + "\n", encoding="utf-8")

    def get(self, key: Key) -> Mapping[str, Any] | None:
        """A finished replay, or None."""
        return self._found.get(key)

    def add(self, result: Mapping[str, Any]) -> None:
        """Keep a finished replay."""
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(result) + "\n")
