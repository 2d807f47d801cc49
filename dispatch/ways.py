"""From where an order may come, and where it may be brought; both as a line of text, too.

    north 480; south 600 price 200
    door price 300; counter north

A source is a store and the seconds that it prepares; an end the door or the counter of a store; a price counts points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

MOST_SOURCES, MOST_ENDS = 8, 8
"""Of one order."""


@dataclass(frozen=True, slots=True)
class Source:
    """A store that may fulfil an order."""

    store_id: str
    prepare_s: int = 0
    """Seconds from when it is told until the goods are ready."""
    price: int = 0
    """Points for choosing it."""


class EndKind(StrEnum):
    """What an order may be brought to."""

    DOOR = "door"
    COUNTER = "counter"
    """Of a store, where the customer fetches it."""


@dataclass(frozen=True, slots=True)
class End:
    """Where an order may be brought."""

    kind: EndKind
    place: int
    price: int = 0
    """Points for choosing it."""
    store_id: str = ""
    """Of a counter: whose."""
    door: str = ""
    """Of a door: see Order.door."""

    @property
    def name(self) -> str:
        """One word for it, alone among the ends of an order."""
        return f"{self.kind}:{self.store_id}" if self.store_id else self.kind.value


def sources_of(text: str) -> tuple[Source, ...]:
    """The sources that a line names; raises ValueError for what is none."""
    found = []
    for clause in _clauses(text):
        words, price = _without_price(clause)
        if len(words) != 2 or not words[1].isdecimal():
            raise ValueError(
                f"{clause!r} is no source: write a store and the seconds that it prepares, as in north 480"
            )
        found.append(Source(words[0], int(words[1]), price))
    return tuple(found)


def ends_of(text: str, door: End, counter_at: Callable[[str], int]) -> tuple[End, ...]:
    """The ends that a line names; `counter_at`: place of a store's counter.  Raises ValueError for what is none."""
    found = []
    for clause in _clauses(text):
        words, price = _without_price(clause)
        if words == ["door"]:
            found.append(End(EndKind.DOOR, door.place, price, door=door.door))
        elif len(words) == 2 and words[0] == EndKind.COUNTER:
            found.append(End(EndKind.COUNTER, counter_at(words[1]), price, words[1]))
        else:
            raise ValueError(f"{clause!r} is no end: write door, or counter and a store")
    return tuple(found)


def sources_text(sources: tuple[Source, ...]) -> str:
    """The line that `sources_of` reads."""
    return "; ".join(f"{one.store_id} {one.prepare_s}" + _price_text(one.price) for one in sources)


def ends_text(ends: tuple[End, ...]) -> str:
    """The line that `ends_of` reads."""
    return "; ".join(" ".join((one.kind, one.store_id)).strip() + _price_text(one.price) for one in ends)


def skus_of(text: str) -> tuple[tuple[str, int], ...]:
    """Articles and how many of each, as in milk 2; bread 1; raises ValueError for what is none."""
    found = []
    for clause in _clauses(text):
        words = clause.split()
        if len(words) != 2 or not words[1].isdecimal() or not int(words[1]):
            raise ValueError(f"{clause!r} is no article: write its name and how many, as in milk 2")
        found.append((words[0], int(words[1])))
    return tuple(found)


def skus_text(skus: tuple[tuple[str, int], ...]) -> str:
    """The line that `skus_of` reads."""
    return "; ".join(f"{sku} {count}" for sku, count in skus)


def _clauses(text: str) -> list[str]:
    return [clause.strip() for clause in text.split(";") if clause.strip()]


def _without_price(clause: str) -> tuple[list[str], int]:
    words = clause.split()
    if len(words) >= 2 and words[-2] == "price" and words[-1].isdecimal():
        return words[:-2], int(words[-1])
    return words, 0


def _price_text(price: int) -> str:
    return f" price {price}" if price else ""
