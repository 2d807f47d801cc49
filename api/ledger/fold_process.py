"""`python -m api.ledger.fold_process FOLDER`: folds a ledger that another process writes, and keeps a snapshot.

What two snapshots cover it moves into a segment.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from api.common.parent_process import die_with_parent
from api.ledger.recovery import recover, snapshot_of
from api.ledger.sqlite.reader import SqliteReader
from dispatch.settings.settings import Settings


def main(folder: Path) -> None:
    """Reads without a lock: committed rows only, and files appear whole."""
    die_with_parent()
    os.nice(10)  # a snapshot may wait; orders and rounds may not
    reader = SqliteReader(folder)
    found = recover(reader, Settings())
    reader.save_snapshot(snapshot_of(found.board, found.seq)).result()
    reader.archive()
    reader.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
