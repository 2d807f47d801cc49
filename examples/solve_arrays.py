"""A planning problem made in Python: eight deliveries from one kitchen, two riders, promises that cost when missed."""

import numpy as np

import halfhour


def main() -> None:
    """Place nine points in the plane, make their travel table, and print both routes."""
    draw = np.random.default_rng(4)
    points = np.vstack([[0.0, 0.0], draw.uniform(-3_000, 3_000, (8, 2))])
    metres = np.abs(points[:, None] - points[None, :]).sum(axis=2)
    seconds, whole_metres = (np.rint(table).astype(np.int32)[None] for table in (metres / 5.0, metres))
    travel = halfhour.Travel(ticks=seconds, metres=whole_metres)
    problem = halfhour.make_problem(
        place=np.arange(9),
        pick_place=np.zeros(8, dtype=int),
        drop_place=np.arange(1, 9),
        start_place=[0, 0],
        capacity=4,
        due=np.tile([[1_200, 2_400]], (8, 1)),
        slope=np.tile([[1, 20, 20]], (8, 1)),
    )
    solution = halfhour.solve(problem, travel, work=20_000)
    rows = solution.rows
    for vehicle in range(2):
        stops = range(rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1])
        print(f"rider {vehicle + 1}:", " -> ".join(str(rows.stop_place[stop]) for stop in stops))
    print("cost", solution.cost, "left out", int((solution.reason != 0).sum()))


if __name__ == "__main__":
    main()
