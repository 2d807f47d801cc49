"""Files of a ledger: for their owner alone, there whole or not at all, and still the ones that were opened."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from api.ledger.protocol import LedgerFailed
from routing.errors import InvalidInput

log = logging.getLogger(__name__)

PRIVATE, PRIVATE_FOLDER = 0o600, 0o700
OTHERS = 0o077
AUDIT = "audit.jsonl"


def make_private(folder: Path, *, tighten: bool = False) -> None:
    """Makes the folder, for its owner alone; raises InvalidInput where an existing one is open to others.

    An empty folder is closed to them without a word, and so is a full one with `tighten`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=PRIVATE_FOLDER)
    if not folder.stat().st_mode & OTHERS:
        return
    if folder.stat().st_uid == os.getuid() and (tighten or not any(folder.iterdir())):
        folder.chmod(PRIVATE_FOLDER)
        return
    raise InvalidInput(
        "others may look into the folder, and personal data is in it", code="unsafe_mode", file=str(folder),
        hint=f"Close it to them: chmod 700 {folder}",
    )  # fmt: skip


def close_to_others(paths: Iterator[Path]) -> None:
    """Takes every right of others from files that are there."""
    for path in paths:
        with suppress(FileNotFoundError):
            if path.stat().st_mode & OTHERS:
                path.chmod(PRIVATE_FOLDER if path.is_dir() else PRIVATE)


def create(path: Path) -> None:
    """An empty private file, where there is none."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE))


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A private file to write, that appears whole and durable under its name, or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def copy(source: Path, target: Path) -> None:
    """A private copy of a file, whole or not at all."""
    with source.open("rb") as reading, whole(target) as writing:
        shutil.copyfileobj(reading, writing)


def flush_folder(folder: Path) -> None:
    """A renamed file is there after a loss of power once its folder is flushed too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Anchor:
    """Remembers which files were opened, so that what is written goes nowhere that nobody can find again."""

    def __init__(self, *paths: Path) -> None:
        self._known = {path: _number(path) for path in paths}

    def check(self) -> None:
        """Raises LedgerFailed where a path leads to another file now, or to none."""
        for path, number in self._known.items():
            if _number(path) != number:
                raise LedgerFailed(
                    "a file of the ledger was moved, replaced or deleted while the service runs", code="ledger_moved",
                    file=str(path), hint="Put it back; after putting another one in its place, restart the service.",
                    retry_after_s=5,
                )  # fmt: skip


def _number(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
