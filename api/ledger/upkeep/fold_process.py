"""`python -m api.ledger.upkeep.fold_process FEWEST`: folds a ledger that another process writes, and keeps a snapshot.

`HALFHOUR_LEDGER` holds its address, for an address may hold a password.  What two snapshots cover moves into a segment,
where it is FEWEST entries or more.
"""

from __future__ import annotations

import os
import sys

from api.common.parent_process import die_with_parent
from api.ledger.opening import reader_of
from api.ledger.recovery import recover, snapshot_of
from dispatch.settings.settings import Settings

VARIABLE = "HALFHOUR_LEDGER"


def main(address: str, fewest: int) -> None:
    """Reads without a lock: committed rows only, and files appear whole."""
    die_with_parent()
    os.nice(10)  # a snapshot may wait; orders and rounds may not
    reader = reader_of(address)
    found = recover(reader, Settings())
    reader.save_snapshot(snapshot_of(found.board, found.seq)).result()
    reader.archive(fewest)
    reader.close()


if __name__ == "__main__":
    main(os.environ[VARIABLE], int(sys.argv[1]))
