"""Invent a lunch peak, replay it under two policies, and print what customers and riders would have felt."""

import tempfile
from pathlib import Path

import halfhour


def main() -> None:
    """Replay one small day twice: as the engine plans it, and with the nearest rider for each order."""
    with tempfile.TemporaryDirectory() as folder:
        day = Path(folder) / "day"
        halfhour.invent_day(day, seed=7, orders=60, riders=10, stores=8, hours=1.0)
        for policy in ("halfhour", "nearest"):
            run = halfhour.replay(day, policy=policy)
            figures = run.summary
            print(
                f"{policy:10} on time {figures['on_time_share']:.0%}, "
                f"click to door {figures['click_to_door_mean_s'] / 60:.1f} min, "
                f"{len(run.legs)} ways driven for {figures['orders']} orders"
            )


if __name__ == "__main__":
    main()
