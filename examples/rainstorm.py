"""The same lunch peak dry and in the rain: more orders, slower streets and kitchens, as many riders."""

import tempfile
from pathlib import Path

import halfhour


def main() -> None:
    """Invent both days from one seed and set their figures side by side."""
    with tempfile.TemporaryDirectory() as folder:
        for name, rain in (("dry", False), ("rain", True)):
            day = Path(folder) / name
            halfhour.invent_day(day, seed=5, orders=60, riders=9, stores=6, hours=1.0, rain=rain)
            figures = halfhour.replay(day).summary
            print(
                f"{name:5} {figures['orders']:3} orders, on time {figures['on_time_share']:.0%}, "
                f"mean lateness {figures['lateness_mean_s'] / 60:.1f} min"
            )


if __name__ == "__main__":
    main()
