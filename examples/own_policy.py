"""A dispatching policy of your own, measured on the same day as the engine's."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import halfhour


class OldestFirst(halfhour.SimplePolicy):
    """Every minute: the oldest order goes to the idle rider who can pick it up first."""

    name = "oldest-first"
    settings: ClassVar[Mapping[str, Any]] = {"rules.round_mode": "beat", "rules.round_s": 60}

    def decide(self, view: halfhour.View) -> halfhour.Plan:
        """Give each order away in turn, until no rider is idle."""
        plan = view.new_plan()
        idle = list(view.idle_riders)
        for order in sorted(view.open_orders, key=lambda order: order.placed_in_s):
            reach = {rider: view.pickup_in_s(rider, order) for rider in idle}
            able = {rider: seconds for rider, seconds in reach.items() if seconds is not None}
            if able:
                rider = min(able, key=lambda rider: able[rider])
                plan.give(rider, [order])
                idle.remove(rider)
        return plan


def main() -> None:
    """Replay one day under both policies; the same luck meets both."""
    with tempfile.TemporaryDirectory() as folder:
        day = Path(folder) / "day"
        halfhour.invent_day(day, seed=7, orders=60, riders=10, stores=8, hours=1.0)
        for policy in ("halfhour", OldestFirst()):
            print(halfhour.replay(day, policy=policy, audit=True))


if __name__ == "__main__":
    main()
