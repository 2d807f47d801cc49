"""Luck: a stream of its own for every entity and purpose, so that two policies face the same day.

A draw depends on the seed, on what it is about and on nothing else: not on how often or in which order chance was
asked before.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np

from dispatch.model import Offer
from sim.scenario import Reality

SLOT_S = 900
"""Legs between the same two places within this time share their luck: a jam is a jam for every rider."""


class Luck:
    """Random streams keyed by (seed, entity, purpose)."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def stream(self, entity: str, purpose: str) -> np.random.Generator:
        """The stream of one entity for one purpose, always from its beginning."""
        key = hashlib.sha256(repr((self._seed, purpose, entity)).encode()).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(key[:16], "little")))

    def factor(self, entity: str, purpose: str, sigma: float) -> float:
        """A log-normal factor of median one, kept within a third and three times."""
        if sigma == 0.0:
            return 1.0
        return float(np.clip(np.exp(sigma * self.stream(entity, purpose).standard_normal()), 1 / 3, 3.0))

    def happens(self, entity: str, purpose: str, share: float) -> bool:
        """True with probability `share`."""
        return share > 0.0 and bool(self.stream(entity, purpose).random() < share)


class AcceptanceModel(Protocol):
    """How a crowd rider answers an offer."""

    def answer(self, offer: Offer, at: int) -> tuple[bool | None, int]:
        """(accepts, seconds until they say so); None: they do not answer."""


class SureAcceptance:
    """Every crowd rider takes what they are offered, at once: on a recorded day they did."""

    def answer(self, offer: Offer, at: int) -> tuple[bool | None, int]:
        """See AcceptanceModel."""
        return True, 0


class SharedAcceptance:
    """Every crowd rider declines, or stays silent, with the same probability; drawn per rider and order."""

    def __init__(self, reality: Reality, luck: Luck) -> None:
        self._reality = reality
        self._luck = luck

    def answer(self, offer: Offer, at: int) -> tuple[bool | None, int]:
        """See AcceptanceModel."""
        entity = f"{offer.rider_id}\x00{offer.order_ids[0] if offer.order_ids else offer.offer_id}"
        draw = float(self._luck.stream(entity, "offer").random())
        if draw < self._reality.silent_share:
            return None, 0
        return draw >= self._reality.silent_share + self._reality.decline_share, self._reality.answer_s
