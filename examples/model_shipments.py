"""Couriers fetch meals and bring them, within windows."""

import halfhour
from halfhour import Stay


def main() -> None:
    """A shipment has two sides, each with a place and windows of its own."""
    model = halfhour.Model()
    model.add_vehicle_type(2, start=(0, 0), capacity=2, window=(0, 3600))
    for k in range(4):
        kitchen = Stay((200 + 50 * k, 300), service=60, windows=[(300 * k, 300 * k + 600)])
        model.add_shipment(f"meal {k}", pickup=kitchen, delivery=Stay((-300 * k, 500), service=90), amount=1)
    plan = model.solve(time_limit=0.3)
    for route in plan.routes:
        print([(visit.kind, visit.id, visit.begins) for visit in route.visits])


if __name__ == "__main__":
    main()
