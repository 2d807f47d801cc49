"""`Retry-After` as HTTP has it: seconds, or a date."""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime

__all__ = ["wait_s"]


def wait_s(header: str, now: float) -> int:
    """Whole seconds to wait from `now` (epoch seconds) on; 0 where the header says nothing that can be understood."""
    said = header.strip()
    if said.isascii() and said.isdigit() and len(said) < 8:
        return int(said)
    try:
        return max(0, math.ceil(parsedate_to_datetime(said).timestamp() - now))
    except (ValueError, OverflowError):
        return 0
