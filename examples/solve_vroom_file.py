"""A VROOM file solved: jobs with a window, a skill, and a vehicle that comes home."""

import json
import tempfile
from pathlib import Path

import halfhour

PROBLEM = {
    "vehicles": [{"id": 1, "start_index": 0, "end_index": 0, "capacity": [2], "skills": [1]}],
    "jobs": [
        {"id": 11, "location_index": 1, "delivery": [1], "service": 60},
        {"id": 12, "location_index": 2, "delivery": [1], "time_windows": [[0, 1800]], "skills": [1]},
        {"id": 13, "location_index": 3, "delivery": [1], "skills": [2]},
    ],
    "matrices": {
        "car": {"durations": [[0, 300, 400, 500], [300, 0, 200, 300], [400, 200, 0, 250], [500, 300, 250, 0]]}
    },
}


def main() -> None:
    """Write the file, solve it, and print the answer in VROOM's own form."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "jobs.json"
        file.write_text(json.dumps(PROBLEM), encoding="utf-8")
        answer = json.loads(halfhour.solve(file, work=2_000).output)
    for route in answer["routes"]:
        print("vehicle", route["vehicle"], [step.get("id", step["type"]) for step in route["steps"]])
    print("left out:", [task["id"] for task in answer["unassigned"]])


if __name__ == "__main__":
    main()
