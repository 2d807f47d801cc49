"""Judges what an answer says of the whole plan, in plain Python and from the two files alone, as `vroom_judge` does."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

Begun = dict[tuple[str, int], int]


def fleet_faults(data: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """That fewer or more vehicles have a route than may."""
    fleet, used = data.get("fleet") or {}, len(answer["routes"])
    wrong = []
    if not fleet.get("min_vehicles", 0) <= used <= fleet.get("max_vehicles", used):
        wrong.append(f"{used} vehicles have a route, the fleet is {fleet}")
    return wrong


def longest_faults(data: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """In what the longest route is reported wrongly: from the beginning of its vehicle's window to its end."""
    price = (data.get("fleet") or {}).get("per_hour_of_longest", 0)
    begins = {vehicle["id"]: (vehicle.get("time_window") or [0])[0] for vehicle in data["vehicles"]}
    ends = [(one["steps"][-1], begins[one["vehicle"]]) for one in answer["routes"] if one["vehicle"] in begins]
    longest = max((step["arrival"] + step["waiting_time"] - opens for step, opens in ends), default=0)
    said = answer["summary"].get("longest", 0), answer["summary"].get("longest_cost", 0)
    if price and said != (longest, round(Fraction(price * longest, 3600))):
        return [f"the longest route lasts {longest} s, not {said[0]}, or costs something else than {said[1]}"]
    return []


def order_faults(data: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """Tasks that are served without, or before, what they must follow."""
    begun: Begun = {}
    for step in (step for route in answer["routes"] for step in route["steps"] if "id" in step):
        if step["type"] != "break":
            begun[step["type"], step["id"]] = step["arrival"] + step["waiting_time"] + step["setup"]
    wrong = []
    for own, item in _followers(data):
        for leader in item.get("after") or []:
            key = leader["type"], leader["id"]
            if own in begun and (key not in begun or begun[key] > begun[own]):
                wrong.append(f"{own[0]} {own[1]} is served without {key[0]} {key[1]}, or begins before it")
    return wrong


def _followers(data: dict[str, Any]) -> list[tuple[tuple[str, int], dict[str, Any]]]:
    """The first task of every job and shipment, and what says what it follows."""
    jobs = [(("job", job["id"]), job) for job in data.get("jobs", [])]
    return jobs + [(("pickup", one["pickup"]["id"]), one) for one in data.get("shipments", [])]
