"""What goes wrong with a travel service."""

from __future__ import annotations

from routing.errors import HalfhourError

KINDS = ("slow", "gone", "limited", "refused", "malformed", "shape", "place", "too_big", "no_metres")


class MatrixFailed(HalfhourError):
    """A travel service has not answered as it should; `why` is one of KINDS.

    slow: not in time. gone: nobody there, or a fault of its own. limited: asked too much. refused: it does not want to.
    malformed: no JSON, or no times. shape: another table than asked for. place: one of the places is not on its
    streets. too_big: too many places at once. no_metres: it knows no distances.
    """

    code = "travel_service_failed"

    def __init__(self, why: str, message: str, *, retry_after_s: int = 0, hint: str = "") -> None:
        super().__init__(message, why=why, field="travel.url", hint=hint)
        self.why = why
        self.retry_after_s = retry_after_s
