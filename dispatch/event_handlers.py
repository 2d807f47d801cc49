"""Who takes which event: the one way in which readers of events find the function for a kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from dispatch import events
from dispatch.events import Event

__all__ = ["event_handlers"]

PREFIX = "_on_"
_KINDS: dict[str, type[Event]] = {
    PREFIX + re.sub("([A-Z])", r"_\1", kind.__name__).lower()[1:]: kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
}


def event_handlers(names: Mapping[str, Any], *, of_all: bool = False) -> dict[type[Event], Callable[..., Any]]:
    """The functions among `names` that take an event, by its kind: `_on_order_moved` takes OrderMoved.

    `names`: `vars(SomeClass)` or `globals()`.  `of_all`: every kind must have one.  Raises TypeError for a name that
    begins so and is no event's, and for a kind that is missing.
    """
    found = {name: function for name, function in names.items() if name.startswith(PREFIX)}
    unknown = sorted(found.keys() - _KINDS.keys())
    missing = sorted(_KINDS.keys() - found.keys()) if of_all else []
    if unknown or missing:
        raise TypeError(f"no event is called {unknown}; nobody takes {missing}")
    return {_KINDS[name]: function for name, function in found.items()}
