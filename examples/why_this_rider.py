"""Why did this order go to that rider?  Read the lives of orders from a run folder."""

import subprocess
import sys
import tempfile
from pathlib import Path

import halfhour


def main() -> None:
    """Replay a day into a run folder and tell the story of its latest order."""
    with tempfile.TemporaryDirectory() as folder:
        day, out = Path(folder) / "day", Path(folder) / "run"
        halfhour.invent_day(day, seed=7, orders=40, riders=6, stores=5, hours=1.0)
        run = halfhour.replay(day, out=out)
        latest = run.orders.sort_values("lateness_s").iloc[-1]
        print(f"{latest.order_id} came {latest.lateness_s / 60:.1f} min late; `halfhour story` says why.")
        print("Also in the run folder:", ", ".join(sorted(path.name for path in out.iterdir())))
        sys.stdout.flush()
        subprocess.run([sys.executable, "-m", "halfhour", "story", str(out), latest.order_id], check=True)


if __name__ == "__main__":
    main()
