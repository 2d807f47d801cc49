"""What a ledger says of other hosts that no other host can take: it lies in a folder of this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from api.ledger.protocol import Holder


class OfOneMachine:
    """The part of the Ledger that is about others."""

    @property
    def lease_s(self) -> float | None:
        """It is this machine's: nobody else can take it."""
        return None

    @property
    def is_surely_ours(self) -> bool:
        """The folder's lock is ours while this process lives."""
        return True

    @property
    def is_following(self) -> bool:
        """A folder that another process holds is not opened at all."""
        return False

    def take(self, on_wait: Callable[[str], None], is_ready: Callable[[], bool]) -> None:
        """It is ours."""

    def whereabouts(self) -> Holder:
        """It is here."""
        return Holder("", "")

    def asked_to_leave(self) -> bool:
        """Nobody else waits for a folder."""
        return False

    @property
    def is_far(self) -> bool:
        """A look-up takes microseconds."""
        return False

    def standing(self) -> dict[str, float]:
        """Nothing: it is nobody else's."""
        return {}

    @property
    def claim_s(self) -> float | None:
        """Nobody else sends."""
        return None

    def keep(self, webhook_ids: Sequence[str]) -> set[str]:
        """All are still ours."""
        return set(webhook_ids)

    def seen(self, webhook_id: str) -> None:
        """Only the sender of this process knows."""

    def tries(self) -> None:
        """Only the sender of this process knows."""
