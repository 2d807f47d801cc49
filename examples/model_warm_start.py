"""Stop rules, a look at every better plan, and yesterday's plan as a start."""

import halfhour


def main() -> None:
    """Any callable of (best plan so far, seconds) ends a search."""
    model = halfhour.Model()
    model.add_vehicle_type(3, start=(0, 0), end=(0, 0), capacity=10)
    for k in range(25):
        model.add_job(k, location=(37 * k % 1000, 91 * k % 1000), delivery=1)
    rules = [halfhour.no_improvement(0.3), halfhour.target(2500), lambda best, seconds: seconds > 2]
    first = model.solve(time_limit=3, stop=rules, on_incumbent=lambda best: print(round(best.cost)))
    model.add_job("a late one", location=(500, 500), delivery=1)
    again = model.solve(work=20_000, warm_start=first)
    print(first.cost, again.cost, again.complete)


if __name__ == "__main__":
    main()
