"""An order's alternatives in words."""

from __future__ import annotations

from collections.abc import Callable

from dispatch.model import Order


def told_ways(order: Order) -> str:
    """What a new order may come from and go to, as the end of a sentence; empty where that is not open."""
    text = ""
    if len(order.sources) > 1:
        text += f"; it may come from {_any_of([source.store_id for source in order.sources])}"
    if len(order.ends) > 1:
        text += f"; it may go to {_any_of([end_text(end.name) for end in order.ends])}"
    return text


def end_text(name: str) -> str:
    """An end, by its name, in words."""
    kind, _, store_id = name.partition(":")
    return f"the counter of {store_id}" if store_id else f"the {kind}"


def dearer_ways(instead: tuple[tuple[str, str, int], ...], written: Callable[[int], str]) -> str:
    """What other stores and ends would have cost, as the end of a sentence; `written`: points as text."""
    said = [f"from {store_id} to {end_text(end)} {written(more)} more" for store_id, end, more in instead]
    return f" (instead: {', '.join(said)})" if said else ""


def _any_of(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
