"""Snapshots as files beside a ledger: a stamp that says whose it is and after which entry, and the board.

`snapshot-SEQ.json`; it appears whole or not at all.  It may be missing or damaged without harm: a restart folds more.
"""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from api.ledger.files import whole
from api.ledger.protocol import CorruptLedger, Snapshot
from api.ledger.records import packed

KEPT = 2
_NAME = re.compile(r"snapshot-\d{12}\.json")


class Stamp(NamedTuple):
    """Whose it is, the entry after which the board was so, the chain there, and the digest of the board's text."""

    ledger: str
    seq: int
    at: int
    chain: str
    digest: str


_BOARD = b',"state":'
_STAMP_BYTES = 1024


def numbered(folder: Path) -> list[Path]:
    """The snapshots of a folder, newest first."""
    return sorted((path for path in folder.glob("snapshot-*.json") if _NAME.fullmatch(path.name)), reverse=True)


def number_of(path: Path) -> int:
    """The entry after which a snapshot was made, by its name."""
    return int(path.stem.rpartition("-")[2])


def write(folder: Path, snapshot: Snapshot, ledger: str, chain: bytes) -> Path:
    """Keeps a snapshot; older ones than the last two go."""
    state = packed(snapshot.state).encode()
    stamp = Stamp(ledger, snapshot.seq, snapshot.at, chain.hex(), _digest(state))
    path = folder / f"snapshot-{snapshot.seq:012d}.json"
    with whole(path) as file:
        file.write(packed(stamp._asdict()).encode()[:-1] + _BOARD + state + b"}")
    for old in numbered(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    return path


def stamp_of(path: Path) -> Stamp | None:
    """A snapshot's stamp, None for one that was written before there were stamps; raises CorruptLedger."""
    try:
        with path.open("rb") as file:
            return _split(file.read(_STAMP_BYTES))[0]
    except (OSError, ValueError, TypeError) as problem:
        raise CorruptLedger(f"the snapshot cannot be read: {problem}", file=str(path)) from problem


def read(path: Path) -> Snapshot:
    """A snapshot whole; raises CorruptLedger where it is not what was written."""
    try:
        stamp, state = _split(path.read_bytes())
        if stamp is None:
            return Snapshot(**json.loads(path.read_bytes()))
        if _digest(state) != stamp.digest:
            raise CorruptLedger("the snapshot is not what was written", file=str(path))
        return Snapshot(stamp.seq, stamp.at, json.loads(state))
    except (OSError, ValueError, TypeError) as problem:
        raise CorruptLedger(f"the snapshot cannot be read: {problem}", file=str(path)) from problem


def _split(data: bytes) -> tuple[Stamp | None, bytes]:
    """The stamp of a snapshot and what was read of its board's text."""
    head, _, rest = data.partition(_BOARD)
    value = json.loads(head + b"}")
    return (Stamp(**value) if "ledger" in value else None), rest[:-1]


def _digest(state: bytes) -> str:
    return blake2b(state, digest_size=16).hexdigest()
