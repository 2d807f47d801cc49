"""What is a larger bag worth?  One setting, three values, two seeds of luck, one table."""

import tempfile
from pathlib import Path

import pandas as pd

import halfhour

KEYS = ["on_time_share", "click_to_door_mean_s", "batched_share"]


def main() -> None:
    """Replay one day under every value of `rules.max_batch` and print means over seeds."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        day = Path(folder) / "day"
        halfhour.invent_day(day, seed=3, orders=60, riders=8, stores=5, hours=1.0)
        for max_batch in (1, 2, 4):
            for seed in (1, 2):
                run = halfhour.replay(day, seed=seed, settings={"rules.max_batch": max_batch})
                rows.append({"max_batch": max_batch, "seed": seed, **{key: run.summary[key] for key in KEYS}})
    print(pd.DataFrame(rows).groupby("max_batch")[KEYS].mean().round(3))


if __name__ == "__main__":
    main()
