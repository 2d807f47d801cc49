"""How long, and in which order?  Places, travel times, roads, plans.

Knows places, requests and vehicles; never orders or riders.  Imports nothing else of Halfhour.
"""
