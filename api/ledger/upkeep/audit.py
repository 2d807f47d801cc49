"""What somebody did out of the ordinary with a ledger: who, when and why, one JSON line each."""

from __future__ import annotations

import getpass
import json
import os
import time
from pathlib import Path
from typing import Any

from api.ledger.files import AUDIT, PRIVATE
from api.ledger.opening import in_database, noted
from routing.errors import InvalidInput


def require(reason: str) -> None:
    """Raises InvalidInput where no reason is given."""
    if not reason.strip():
        raise InvalidInput("this is written down with its reason", field="reason", hint="Say why with --reason.")


def write_down(address: str | Path, what: str, reason: str, **more: Any) -> None:
    """Adds a line to a ledger's audit, in its folder or its database; raises InvalidInput without a reason."""
    require(reason)
    line = {"at": int(time.time()), "who": getpass.getuser(), "what": what, "reason": reason, **more}
    if in_database(str(address)):
        noted(str(address), line)
        return
    handle = os.open(Path(address) / AUDIT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
