"""Two vans bring six parcels: the shortest model."""

import halfhour


def main() -> None:
    """Add vehicles and jobs by your own ids, solve, read the routes."""
    model = halfhour.Model()
    model.add_vehicle_type(2, start=(0, 0), end=(0, 0), capacity=4)
    for name, x, y in [("ada", 5, 9), ("bo", 6, 8), ("cy", -7, 2), ("di", -6, 4), ("ed", 1, -9), ("flo", 4, 4)]:
        model.add_job(name, location=(100 * x, 100 * y), delivery=1, service=60)
    plan = model.solve(time_limit=0.3)
    for route in plan.routes:
        print(f"van {route.vehicle}: {', '.join(str(visit.id) for visit in route.visits)}; {route.distance} m")
    print("left out:", plan.unassigned or "nothing")


if __name__ == "__main__":
    main()
