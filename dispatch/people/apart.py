"""Riders who are kept apart from a store or a customer: operations say so with a reason, every plan respects it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dispatch.model import Order


class Party(StrEnum):
    """What a rider is kept apart from; the words are those of the wire."""

    STORE = "store"
    CUSTOMER = "customer"
    DOOR = "door"
    """An address, whoever orders there."""


@dataclass(frozen=True, slots=True)
class KeptApart:
    """A rider and a store, a customer or a door that must not meet, from `since_at` (epoch seconds) on."""

    party: Party
    name: str
    """The store's id, or the opaque name of the customer or the door."""
    since_at: int
    reason: str
    by: str = ""
    """Whose key said so."""


Pairs = tuple[KeptApart, ...]


def parted(pairs: Pairs, order: Order) -> KeptApart | None:
    """The pair that would meet if the rider carried the order; None where none does."""
    return next((pair for pair in pairs if pair.name == name_in(order, pair.party)), None)


def name_in(order: Order, party: Party) -> str | None:
    """The name of an order's store, customer or door; None where the order does not say."""
    names = {Party.STORE: order.store_id, Party.CUSTOMER: order.customer, Party.DOOR: order.door}
    return names[party] or None


def with_pair(pairs: Pairs, pair: KeptApart) -> Pairs:
    """The pairs with one more, in the place of one with the same name."""
    return (*without_pair(pairs, pair.party, pair.name), pair)


def without_pair(pairs: Iterable[KeptApart], party: Party, name: str) -> Pairs:
    """The pairs without one."""
    return tuple(pair for pair in pairs if (pair.party, pair.name) != (party, name))
