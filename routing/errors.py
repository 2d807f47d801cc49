"""The root of Halfhour's error tree, and the errors of routing.

    HalfhourError                 code, message, details {field, line, id, ...}, hint
    +-- InvalidInput              something given to us is wrong; a person can mend it
    |   +-- UnknownPlace          a place handle that no PlaceBook holds
    |   +-- InvalidProblem        the arrays of a Problem contradict each other
    |   +-- UnreadableFile        a file that is missing, cut off or in another format
    +-- Unsupported               understood, but not offered (named, never ignored)

Other packages add their own branches.  Every code is listed, with cause and remedy, in docs/errors.md.
The core knows no HTTP: `api/http/problems.py` alone turns codes into statuses.
"""

from __future__ import annotations

from typing import Any


class HalfhourError(Exception):
    """An error with a stable `code`, one sentence, the offending place in `details`, and a `hint` what to do."""

    code = "internal"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        where = ", ".join(f"{key} {value}" for key, value in self.details.items())
        parts = [self.message, f"[{where}]" if where else "", self.hint]
        return " ".join(part for part in parts if part)


class InvalidInput(HalfhourError):
    """Something that was handed to us is wrong and can be mended by whoever made it."""

    code = "invalid_input"


class UnknownPlace(InvalidInput):
    """A place handle that the PlaceBook does not hold."""

    code = "unknown_place"


class InvalidProblem(InvalidInput):
    """The arrays of a Problem contradict each other; `details` names field and index."""

    code = "invalid_problem"


class UnreadableFile(InvalidInput):
    """A file that is missing, cut off, or not of the format it was taken for."""

    code = "unreadable_file"


class Unsupported(HalfhourError):
    """Understood, but not offered: named instead of silently ignored."""

    code = "unsupported"
