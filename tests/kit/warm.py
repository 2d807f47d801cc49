"""Every kernel compiled once, before tests share the machine code: `python -m tests.kit.warm`.

Two processes compile side by side what no other one does.  Without it each worker of the suite compiles all of it.
"""

from __future__ import annotations

import subprocess
import sys

GENERAL = "from halfhour.solving import warm_up_search; warm_up_search()"
TRIPS = (
    "from api.solver.warm_up import solve_one; from dispatch.settings.settings import Settings;"
    "solve_one(Settings().with_values({'rules.mix': 'same_store'}), None)"
)
ROADS = "from routing.roads.city.warm import warm_up_roads; warm_up_roads()"


def main() -> int:
    """Compile what is not kept yet; the status of the first part that failed."""
    parts = [subprocess.Popen([sys.executable, "-c", code]) for code in (GENERAL, f"{TRIPS}\n{ROADS}")]
    return next((status for status in [part.wait() for part in parts] if status), 0)


if __name__ == "__main__":
    raise SystemExit(main())
