"""Two pauses of a driver, one of them with an empty van, and a limit of driving."""

import halfhour
from halfhour import Pause


def main() -> None:
    """Breaks are taken on the way, each in one of its windows."""
    model = halfhour.Model()
    pauses = [Pause(600, windows=[(1500, 2400)]), Pause(1800, windows=[(5400, 9000)], max_load=0)]
    model.add_vehicle_type(start=(0, 0), end=(0, 0), capacity=9, window=(0, 14400), breaks=pauses, max_travel_time=9000)
    for k in range(6):
        model.add_job(k, location=(400 * k, 300 * (k % 3)), delivery=1, service=300)
    for visit in model.solve(time_limit=0.3).routes[0].visits:
        print(visit.begins, visit.kind, "" if visit.id is None else visit.id)


if __name__ == "__main__":
    main()
