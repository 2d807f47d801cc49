"""A road network from plain arrays: travel times, one path, and all that lies within five minutes."""

import numpy as np

import halfhour

SIDE, STEP = 12, 0.002
"""Streets of a square grid: nodes a side, degrees between two."""


def grid() -> halfhour.RoadNetwork:
    """A town of SIDE x SIDE crossings; every third street is a larger one."""
    at = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    lat, lng = np.divmod(np.arange(SIDE * SIDE), SIDE)
    tail = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()])
    head = np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
    rows = np.concatenate([np.repeat(np.arange(SIDE), SIDE - 1), np.tile(np.arange(SIDE), SIDE - 1)])
    classes = ["secondary" if row % 3 == 0 else "residential" for row in rows]
    return halfhour.RoadNetwork.from_arrays(48.1 + lat * STEP, 11.5 + lng * STEP, tail, head, road_class=classes)


def main() -> None:
    """Ask the network what a dispatcher asks."""
    roads = grid()
    corner, middle = (48.1, 11.5), (48.1 + SIDE / 2 * STEP, 11.5 + SIDE / 2 * STEP)
    for profile in ("bike", "car", "foot"):
        seconds = roads.travel_seconds(np.array([corner]), np.array([middle]), profile=profile)
        print(f"{profile:5} corner to middle: {int(seconds[0, 0])} s")
    path = roads.path(corner, middle, profile="car")
    print(f"by car: {path.metres:.0f} m")


if __name__ == "__main__":
    main()
