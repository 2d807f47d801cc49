"""More than fits: priorities, and what is only served where it pays."""

import halfhour


def main() -> None:
    """Priority first, then the number of tasks, then the cost; a penalty is the price of leaving out."""
    model = halfhour.Model()
    model.add_vehicle_type(start=(0, 0), end=(0, 0), window=(0, 3000))
    for k in range(8):
        model.add_job(("order", k), location=(300 * (k % 4), 300 * (k // 4)), service=400, priority=10 * (k in (6, 7)))
    model.add_job("far away", location=(9000, 0), penalty=500)
    plan = model.solve(time_limit=0.3)
    print("served:", [visit.id for visit in plan.routes[0].visits])
    print("left out:", plan.unassigned)


if __name__ == "__main__":
    main()
