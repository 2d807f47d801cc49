"""Simulated riders, kitchens and customers for a live service."""

from halfhour.robots.city import Robots, Tally
from halfhour.robots.day import moved_to
from halfhour.robots.demo import demo_day

__all__ = ["Robots", "Tally", "demo_day", "moved_to"]
