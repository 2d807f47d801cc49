"""Judges an answer in plan mode: the steps of the input, true times, and each violation said, no more and no fewer."""

from __future__ import annotations

from typing import Any

from routing.problem.formats.vroom_judge import Court, Measure, RouteJudge
from routing.problem.formats.whole.judging import fleet_faults, longest_faults, order_faults


def plan_faults(data: dict[str, Any], answer: dict[str, Any], measure: Measure | None = None) -> list[str]:
    """Everything in which `answer` leaves the steps of `data` or misreports; empty where it may be trusted."""
    return _PlanCourt(data, measure).judge(answer)


class _PlanCourt(Court):
    """Half a shipment may be planned; what it is is a violation."""

    def shipments(self) -> None:
        """Both halves of a shipment may lie anywhere."""

    def whole_plan(self, answer: dict[str, Any]) -> None:
        """The longest route is told truly; what breaks the laws of the whole is a violation."""
        self.wrong += longest_faults(self.data, answer)

    def judge(self, answer: dict[str, Any]) -> list[str]:
        """Everything that is wrong with an answer; the summary adds up the violations too."""
        super().judge(answer)
        said = [violation for route in answer["routes"] for violation in route["violations"]]
        faults = {"fleet": fleet_faults(self.data, answer), "order": order_faults(self.data, answer)}
        said += [{"cause": cause} for cause, found in faults.items() if found]
        if _added(answer["summary"]["violations"]) != _added(said):
            self.wrong.append("the summary's violations are not those of its routes")
        return self.wrong


class _PlanRoute(RouteJudge):
    """A route as it was told."""

    def judge(self) -> None:
        """Hear the whole route, and compare what it says it violates."""
        self.expected: list[tuple[dict[str, Any], str, int | None]] = []
        told = [step for step in self.vehicle["steps"] if step["type"] not in ("start", "end")]
        steps = self.route["steps"]
        if [(one["type"], one.get("id")) for one in told] != [(one["type"], one.get("id")) for one in steps[1:-1]]:
            self.say("is not the steps of its vehicle")
            return
        ends: list[dict[str, Any]] = [
            next((one for one in self.vehicle["steps"] if one["type"] == kind), {}) for kind in ("start", "end")
        ]  # fmt: skip
        for want, step in zip([ends[0], *told, ends[1]], steps, strict=True):
            begins = step["arrival"] + step["waiting_time"]
            least = max(want.get("service_after", begins), want.get("service_at", begins))
            if not least <= begins <= min(want.get("service_before", begins), want.get("service_at", begins)):
                self.say(f"{step['type']} {step.get('id', '')} begins at {begins}, against its step")
        super().judge()
        for step in steps:
            due = [(cause, seconds) for one, cause, seconds in self.expected if one is step]
            if sorted(due, key=str) != sorted(((x["cause"], x.get("duration")) for x in step["violations"]), key=str):
                self.say(f"{step['type']} {step.get('id', '')} violates {due}, not {step['violations']}")
        own = [violation for step in steps for violation in step["violations"]]
        if {rest["id"] for rest in self.vehicle.get("breaks", [])} - set(self.rests):
            own.append({"cause": "missing_break"})
        if _added(own) != _added(self.route["violations"]):
            self.say("the route's violations are not those of its steps")

    def broken(self, step: dict[str, Any], cause: str, message: str, seconds: int | None = None) -> None:
        """A violation that the step must say."""
        self.expected.append((step, cause, seconds))

    def task(self, step: dict[str, Any]) -> None:
        """Pickup and delivery of one shipment, in this order, on one route."""
        super().task(step)
        if step["type"] == "pickup":
            _, whole = self.court.needed["pickup", step["id"]]
            behind = self.route["steps"][self.route["steps"].index(step) :]
            if all((one["type"], one.get("id")) != ("delivery", whole["delivery"]["id"]) for one in behind):
                self.broken(step, "precedence", "")

    def limits(self, steps: list[dict[str, Any]]) -> None:
        """The shift at both ends, and what a route may have at most, from the step on at which it has more."""
        end = steps[-1]
        self.waiting += end["waiting_time"]
        span = self.vehicle.get("time_window")
        if span and steps[0]["arrival"] < span[0]:
            self.missed(steps[0], steps[0]["arrival"], [span])
        if span and end["arrival"] + end["waiting_time"] > span[1]:
            self.missed(end, end["arrival"] + end["waiting_time"], [span])
        lasted = end["arrival"] + end["waiting_time"] - steps[0]["arrival"] - steps[0]["waiting_time"]
        if lasted > self.vehicle.get("max_duration", lasted):
            self.broken(end, "max_duration", "")
        done = 0
        for step in steps:
            done += step["type"] in ("job", "pickup", "delivery")
            if step["type"] in ("job", "pickup", "delivery") and done > self.vehicle.get("max_tasks", done):
                self.broken(step, "max_tasks", "")
            for key, value in (("max_travel_time", step["duration"]), ("max_distance", step["distance"])):
                if value > self.vehicle.get(key, value):
                    self.broken(step, key, "")


def _added(violations: list[dict[str, Any]]) -> dict[str, int]:
    """Seconds by cause."""
    found: dict[str, int] = {}
    for one in violations:
        found[one["cause"]] = found.get(one["cause"], 0) + one.get("duration", 0)
    return found


_PlanCourt.route_judge = _PlanRoute
