"""Who held each order of a journal, from when to when, and for how long stores and riders held goods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dispatch import custody
from dispatch import events as e
from dispatch.custody import Chain, Keeper, riders_of


class Chains:
    """The chain of custody of every order, by its id."""

    def __init__(self) -> None:
        self.of: dict[str, Chain] = {}

    def take(self, events: Iterable[e.Event]) -> None:
        """Take the events of one input in."""
        for event in events:
            if isinstance(event, e.OrderAccepted):
                self.of[event.order.order_id] = custody.after((), event)
            elif isinstance(event, e.OrderMoved | e.OutcomeCorrected | e.GoodsMoved):
                self.of[event.order_id] = custody.after(self.of.get(event.order_id, ()), event)

    def lines(self, delivered: Iterable[str]) -> dict[str, Any]:
        """Lines of summary.json: mean seconds in hands of a kind, of the orders delivered; orders handed on, of all."""
        chains = [self.of[order_id] for order_id in delivered]
        means = {
            f"held_by_{keeper.value}_mean_s": round(sum(_held_s(chain, keeper) for chain in chains) / len(chains), 4)
            if chains
            else None
            for keeper in (Keeper.STORE, Keeper.RIDER)
        }
        return {**means, "handed_on": sum(len(riders_of(chain)) > 1 for chain in self.of.values())}


def _held_s(chain: Chain, keeper: Keeper) -> int:
    """Seconds for which goods were in such hands, as far as they have left them again."""
    return sum(part.to_at - part.from_at for part in chain if part.keeper is keeper and part.to_at is not None)
