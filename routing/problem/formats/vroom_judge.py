"""Judges an answer in VROOM's JSON against the input it answers, in plain Python and from the two files alone.

Nothing here knows how inputs are read, plans are searched or answers are written.  What it finds is a mistake of ours,
never of the user's.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from routing.problem.formats.whole.judging import fleet_faults, longest_faults, order_faults

Measure = Callable[[list[tuple[float, float]], str], tuple[Any, Any]]
"""([(lng, lat)], profile) -> seconds and metres between all of them."""

FORBIDDEN = 2**30 - 1
"""A leg of so many seconds or more cannot be driven."""


def faults(data: dict[str, Any], answer: dict[str, Any], measure: Measure | None = None) -> list[str]:
    """Everything in which `answer` breaks the law of `data` or misreports itself; empty where it may be trusted."""
    return Court(data, measure).judge(answer)


class Court:
    """Reads the input, and hears every route of an answer."""

    def __init__(self, data: dict[str, Any], measure: Measure | None) -> None:
        self.data = data
        self.matrices = data.get("matrices") or ({"car": {"durations": data["matrix"]}} if data.get("matrix") else {})
        self.wrong: list[str] = []
        self.needed: dict[tuple[str, int], tuple[dict[str, Any], dict[str, Any]]] = {}
        for job in data.get("jobs", []):
            self.needed["job", job["id"]] = job, job
        for shipment in data.get("shipments", []):
            for side in ("pickup", "delivery"):
                self.needed[side, shipment[side]["id"]] = shipment[side], shipment
        self.seen: dict[tuple[str, int], int] = {}
        self.measured = self._measure(measure) if measure is not None and not self.matrices else {}

    def _measure(self, measure: Measure) -> dict[str, Any]:
        """Seconds and metres by profile, and the number of every point."""
        points = [tuple(half["location"]) for half, _ in self.needed.values()]
        for vehicle in self.data["vehicles"]:
            points += [tuple(vehicle[key]) for key in ("start", "end") if vehicle.get(key)]
        listed = sorted(set(points))
        self.number = {point: k for k, point in enumerate(listed)}
        names = sorted({vehicle.get("profile", "car") for vehicle in self.data["vehicles"]})
        return {name: measure(listed, name) for name in names}

    route_judge: type[RouteJudge]

    def judge(self, answer: dict[str, Any]) -> list[str]:
        """Everything that is wrong with an answer."""
        free = list(self.data["vehicles"])
        for number, route in enumerate(answer["routes"]):
            vehicle = next((v for v in free if v["id"] == route["vehicle"]), None)
            if vehicle is None:
                self.wrong.append(f"route {number} is of no vehicle, or of one that has another")
                continue
            free.remove(vehicle)
            self.route_judge(self, vehicle, route, number).judge()
        left = {(one["type"], one["id"]) for one in answer["unassigned"]}
        if len(left) != len(answer["unassigned"]) or left & set(self.seen) or left | set(self.seen) != set(self.needed):
            self.wrong.append("a task is neither in one route nor among the unassigned, or is in both")
        self.shipments()
        self.whole_plan(answer)
        self._summary(answer)
        return self.wrong

    def whole_plan(self, answer: dict[str, Any]) -> None:
        """Hear how many vehicles go out, how long the longest is away, and what comes before what it must follow."""
        data = self.data
        self.wrong += fleet_faults(data, answer) + longest_faults(data, answer) + order_faults(data, answer)

    def shipments(self) -> None:
        """Hear that the halves of a shipment lie on two routes."""
        for shipment in self.data.get("shipments", []):
            routes = [self.seen.get((side, shipment[side]["id"])) for side in ("pickup", "delivery")]
            if routes[0] != routes[1]:
                self.wrong.append(f"shipment {shipment['pickup']['id']} is picked up and delivered by different routes")

    def _summary(self, answer: dict[str, Any]) -> None:
        summary = answer["summary"]
        for key in ("cost", "setup", "service", "duration", "waiting_time", "priority", "distance"):
            total = sum(route[key] for route in answer["routes"])
            if summary[key] != total:
                self.wrong.append(f"the summary's {key} is {summary[key]}, the routes add up to {total}")
        if summary["unassigned"] != len(answer["unassigned"]) or summary["routes"] != len(answer["routes"]):
            self.wrong.append("the summary counts routes or unassigned tasks wrongly")
        priority = {id(whole): whole.get("priority", 0) for key, (_, whole) in self.needed.items() if key in self.seen}
        if summary["priority"] != sum(priority.values()):
            self.wrong.append(f"the priorities served add up to {sum(priority.values())}, not {summary['priority']}")
        penalty = {id(w): w.get("penalty", 0) for key, (_, w) in self.needed.items() if key not in self.seen}
        if summary.get("penalty", 0) != sum(penalty.values()):
            self.wrong.append(f"the penalties add up to {sum(penalty.values())}, not {summary.get('penalty', 0)}")

    def spot(self, item: dict[str, Any], index_key: str, point_key: str) -> Any:
        """What names a location: the index into the matrices, else the coordinates."""
        if self.matrices:
            return item.get(index_key)
        return tuple(item[point_key]) if item.get(point_key) else None

    def leg(self, vehicle: dict[str, Any], here: Any, there: Any) -> tuple[int, int, int]:
        """Seconds, metres and custom cost from one location to another."""
        if here is None or there is None or here == there:
            return 0, 0, 0
        name, speed = vehicle.get("profile", "car"), vehicle.get("speed_factor", 1)
        if not self.matrices:
            seconds, metres = self.measured[name]
            a, b = self.number[here], self.number[there]
            second, metre, cost = int(seconds[a][b]), int(metres[a][b]), 0
        else:
            table = self.matrices[name]
            second = int(table["durations"][here][there])
            metre = int(table["distances"][here][there]) if "distances" in table else 0
            cost = int(table["costs"][here][there]) if "costs" in table else 0
        return (second if second >= FORBIDDEN or speed == 1 else round(second / speed)), metre, cost


class RouteJudge:
    """Walks the steps of one route."""

    def __init__(self, court: Court, vehicle: dict[str, Any], route: dict[str, Any], number: int) -> None:
        self.court, self.vehicle, self.route, self.number = court, vehicle, route, number
        self.here: Any = court.spot(vehicle, "start_index", "start")
        self.drive, self.metres, self.toll = 0, 0, 0
        self.left = 0  # seconds of the present leg that breaks have already driven
        self.setup = self.service = self.waiting = 0
        self.rests: list[int] = []
        self.reloads = 0
        self.done: list[tuple[str, int]] = []
        self.dimensions = max((len(step["load"]) for step in route["steps"]), default=0)

    def broken(self, step: dict[str, Any], cause: str, message: str, seconds: int | None = None) -> None:
        """Hear that a step breaks a law, by VROOM's name of it; `seconds` outside of a window."""
        self.say(message)

    def say(self, message: str) -> None:
        """Note a fault."""
        self.court.wrong.append(f"route {self.number}, vehicle {self.vehicle['id']}: {message}")

    def judge(self) -> None:
        """Hear the whole route."""
        steps = self.route["steps"]
        if len(steps) < 2 or (steps[0]["type"], steps[-1]["type"]) != ("start", "end"):
            self.say("does not lead from a start to an end")
            return
        self.load = self._carried(steps)
        self.given = [0] * self.dimensions
        self.clock = steps[0]["arrival"]
        self._check_load(steps[0])
        for k, step in enumerate(steps[1:-1], 2):
            if step["type"] == "break":
                self.rest(step)
            elif step["type"] == "reload":
                self.reload(step, steps[k:])
            else:
                self.task(step)
        self._arrive(steps[-1], self.court.spot(self.vehicle, "end_index", "end"))
        self._check_load(steps[-1])
        self.limits(steps)
        self._sums()

    def _amount(self, item: dict[str, Any], key: str) -> list[int]:
        amount = item.get(key) or [0] * self.dimensions
        return (
            [amount.get(name, 0) for name in self.court.data["dimensions"]] if isinstance(amount, dict) else [*amount]
        )

    def _carried(self, steps: list[dict[str, Any]]) -> list[int]:
        """What is loaded before these steps: what jobs deliver up to the next reload."""
        steps = steps[: next((k for k, step in enumerate(steps) if step["type"] == "reload"), len(steps))]
        jobs = [self.court.needed.get(("job", step["id"]), ({}, {}))[0] for step in steps if step["type"] == "job"]
        amounts = [self._amount(job, "delivery" if job.get("delivery") else "amount") for job in jobs]
        return [sum(column) for column in zip(*amounts, strict=True)] or [0] * self.dimensions

    def _check_load(self, step: dict[str, Any]) -> None:
        if not self.dimensions:
            return
        room = self._amount(self.vehicle, "capacity") if self.vehicle.get("capacity") else self.load
        if step["load"] != self.load:
            self.say(f"{step['type']} with {step['load']} on board; it is {self.load}")
        if any(a > b for a, b in zip(self.load, room, strict=True)):
            self.broken(step, "load", f"{step['type']} with {self.load} on board; room is for {room}")

    def _arrive(self, step: dict[str, Any], there: Any) -> bool:
        """Drive what is left of the leg; whether the location has changed."""
        seconds, metres, toll = self.court.leg(self.vehicle, self.here, there)
        changed = there is not None and there != self.here
        if seconds >= FORBIDDEN:
            self.say(f"drives a forbidden leg to {step['type']} {step.get('id', '')}")
        arrival = self.clock + seconds - self.left
        if step["arrival"] != arrival:
            self.say(f"is at {step['type']} {step.get('id', '')} at {step['arrival']}, not {arrival}")
        self.drive, self.metres, self.toll = self.drive + seconds, self.metres + metres, self.toll + toll
        if (step["duration"], step["distance"]) != (self.drive, self.metres):
            self.say(f"has driven {self.drive} s and {self.metres} m at {step['type']} {step.get('id', '')}")
        self.left, self.here = 0, there if there is not None else self.here
        return changed

    def _begin(self, step: dict[str, Any], windows: Any) -> None:
        begins = step["arrival"] + step["waiting_time"]
        if step["waiting_time"] < 0:
            self.say(f"{step['type']} {step.get('id', '')} waits for {step['waiting_time']} s")
        if windows and not any(a <= begins <= b for a, b in windows):
            self.missed(step, begins, windows)
        self.clock = begins + step["setup"] + step["service"]
        self.setup, self.service = self.setup + step["setup"], self.service + step["service"]
        self.waiting += step["waiting_time"]

    def missed(self, step: dict[str, Any], begins: int, windows: Any) -> None:
        """Hear that a step begins outside of its windows."""
        nearest = min(windows, key=lambda span: max(span[0] - begins, begins - span[1]))
        early = nearest[0] > begins
        seconds = nearest[0] - begins if early else begins - nearest[1]
        message = f"{step['type']} {step.get('id', '')} begins at {begins}, in none of {windows}"
        self.broken(step, "lead_time" if early else "delay", message, seconds)

    def rest(self, step: dict[str, Any]) -> None:
        """Hear of a break."""
        own = next((one for one in self.vehicle.get("breaks", []) if one["id"] == step["id"]), None)
        if own is None or step["id"] in self.rests:
            self.say(f"break {step['id']} is none of its own, or taken twice")
            return
        self.rests.append(step["id"])
        driven = step["duration"] - self.drive - self.left
        if driven < 0 or step["arrival"] != self.clock + driven:
            self.say(f"cannot be at break {step['id']} at {step['arrival']}")
        self.left += driven
        if step["setup"] or step["service"] != own.get("service", 0):
            self.say(f"break {step['id']} lasts {step['service']}, not {own.get('service', 0)}")
        most = self._amount(own, "max_load") if own.get("max_load") else self.load
        if any(a > b for a, b in zip(self.load, most, strict=True)):
            self.broken(step, "max_load", f"break {step['id']} with {self.load} on board")
        self._check_load(step)
        self._begin(step, own.get("time_windows"))

    def task(self, step: dict[str, Any]) -> None:
        """Hear of a job, a pickup or a delivery."""
        key = str(step["type"]), int(step.get("id", -1))
        if key not in self.court.needed or key in self.court.seen:
            self.say(f"{key[0]} {key[1]} is no task, or done twice")
            return
        half, whole = self.court.needed[key]
        self.court.seen[key] = self.number
        self.done.append(key)
        if not set(whole.get("skills", [])) <= set(self.vehicle.get("skills", [])):
            self.broken(step, "skills", f"lacks a skill for {key[0]} {key[1]}")
        if key[0] == "delivery" and ("pickup", whole["pickup"]["id"]) not in self.done:
            self.broken(step, "precedence", f"delivery {key[1]} comes before its pickup")
        changed = self._arrive(step, self.court.spot(half, "location_index", "location"))
        if (step["setup"], step["service"]) != (half.get("setup", 0) if changed else 0, half.get("service", 0)):
            self.say(f"{key[0]} {key[1]} takes {step['setup']} + {step['service']} s")
        self._begin(step, half.get("time_windows"))
        for sign, name, item in self.changes(key[0], half, whole):
            amount = self._amount(item, name)
            self.load = [a + sign * b for a, b in zip(self.load, amount, strict=False)]
            if name == "pickup":
                self.given = [a + b for a, b in zip(self.given, amount, strict=False)]
        self._check_load(step)

    def reload(self, step: dict[str, Any], behind: list[dict[str, Any]]) -> None:
        """Hear that a vehicle comes back to its start, leaves there what jobs gave it, and loads what comes."""
        own = self.vehicle.get("reloads") or {"most": 0}
        self.reloads += 1
        if self.reloads > own.get("most", self.reloads):
            self.broken(step, "reloads", f"reloads {self.reloads} times")
        self._arrive(step, self.court.spot(self.vehicle, "start_index", "start"))
        if (step["setup"], step["service"]) != (0, own.get("service", 0)):
            self.say(f"a reload takes {step['setup']} + {step['service']} s")
        self._begin(step, None)
        fresh = self._carried(behind)
        self.load = [a - b + c for a, b, c in zip(self.load, self.given, fresh, strict=True)]
        self.given = [0] * self.dimensions
        self._check_load(step)

    def changes(self, kind: str, half: dict[str, Any], whole: dict[str, Any]) -> list[tuple[int, str, dict[str, Any]]]:
        """What an act puts on board (1) and takes off (-1), by the key that says how much."""
        if kind == "job":
            return [(-1, "delivery" if half.get("delivery") else "amount", half), (1, "pickup", half)]
        return [(1 if kind == "pickup" else -1, "amount", whole)]

    def limits(self, steps: list[dict[str, Any]]) -> None:
        """Hear that the route breaks a law of its vehicle."""
        vehicle = self.vehicle
        opens, closes = vehicle.get("time_window") or (steps[0]["arrival"], steps[-1]["arrival"])
        if not opens <= steps[0]["arrival"] <= steps[-1]["arrival"] <= closes:
            self.say(f"works from {steps[0]['arrival']} to {steps[-1]['arrival']}, outside {opens} to {closes}")
        if sorted(self.rests) != sorted(rest["id"] for rest in vehicle.get("breaks", [])):
            self.say("leaves out a break")
        for key, value in (
            ("max_tasks", len(self.done)), ("max_travel_time", self.drive), ("max_distance", self.metres),
            ("max_duration", steps[-1]["arrival"] - steps[0]["arrival"]),
        ):  # fmt: skip
            if value > vehicle.get(key, value):
                self.say(f"{key} is {vehicle[key]}, the route has {value}")

    def _sums(self) -> None:
        route, costs = self.route, self.vehicle.get("costs", {})
        own = "costs" in self.court.matrices.get(self.vehicle.get("profile", "car"), {})
        price = Fraction(costs.get("fixed", 0)) + Fraction(costs.get("per_task_hour", 0), 3600) * self._work()
        if own:
            price += self.toll
        else:
            price += Fraction(costs.get("per_hour", 3600) * self.drive, 3600)
            price += Fraction(costs.get("per_km", 0) * self.metres, 1000)
        said = {
            "cost": round(price), "setup": self.setup, "service": self.service, "duration": self.drive,
            "waiting_time": self.waiting, "distance": self.metres,
        }  # fmt: skip
        for key, value in said.items():
            if route[key] != value:
                self.say(f"its {key} is {value}, not {route[key]}")

    def _work(self) -> int:
        """Seconds of setup and service at tasks."""
        rests: dict[int, int] = {rest["id"]: rest.get("service", 0) for rest in self.vehicle.get("breaks", [])}
        away: int = self.reloads * (self.vehicle.get("reloads") or {}).get("service", 0)
        return self.setup + self.service - away - sum(rests[number] for number in self.rests)


Court.route_judge = RouteJudge
