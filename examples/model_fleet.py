"""Vans and bikes over matrices of their own: fixed prices, prices by hour and kilometre, skills."""

import halfhour


def main() -> None:
    """Locations are numbers into the matrices; every profile has its own."""
    model = halfhour.Model()
    metres = [[abs(a - b) * 800 for b in range(6)] for a in range(6)]
    model.set_matrix([[m // 10 for m in row] for row in metres], distances=metres, profile="van")
    model.set_matrix([[m // 5 for m in row] for row in metres], distances=metres, profile="bike")
    model.add_vehicle_type(1, start=0, end=0, capacity=[20, 8], fixed=30, per_km=1, profile="van", skills=[1])
    model.add_vehicle_type(3, start=0, capacity=[4, 2], fixed=2, per_hour=20, per_km=0, profile="bike")
    for k in range(1, 6):
        model.add_job(f"stop {k}", location=k, delivery=[k, 1], skills=[1] if k == 5 else [])
    for route in model.solve(time_limit=0.3).routes:
        print("van" if route.vehicle_type == 0 else "bike", [visit.id for visit in route.visits], "costs", route.cost)


if __name__ == "__main__":
    main()
