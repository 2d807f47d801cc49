"""A small scenario folder as files, written where a test wants it."""

from __future__ import annotations

import datetime

from sim.sources.clock import DayClock

TOML = """
format = 2
name = "corner"
frame = "wgs84"
day = 2024-05-04
time_zone = "Europe/Helsinki"
[travel]
kind = "straight"
detour = 1.3
metres_per_minute = { bike = 250.0 }
[stops]
store_enter_s = 60
drop_enter_s = 45
[settings]
"rules.round_s" = 30
[truth]
travel_sigma = 0.2
"""


STORES = "store_id,lat,lng,opens_at,enter_s\nkiosk,60.17,24.94,09:00,\nbakery,60.18,24.95,,75\n"


RIDERS = (
    "rider_id,lat,lng,profile,engagement,start_at,last_pickup_at,end_at\n"
    "anna,60.16,24.93,bike,employed,10:00,14:00,14:30\n"
    "anna,,,,,18:00,25:30,\n"
    "ben,60.19,24.96,bike,crowd,2024-05-04T10:00:00+03:00,1714840000,\n"
)


ORDERS = (
    "order_id,store_id,lat,lng,placed_at,ready_at,expected_ready_at,due_at,load_units,cancelled_at\n"
    "b,kiosk,60.175,24.941,11:05,11:20,11:15,,2,\n"
    "a,bakery,60.176,24.942,10:55:30,11:10,,11:30,,11:00\n"
)


FILES = {"scenario.toml": TOML, "stores.csv": STORES, "riders.csv": RIDERS, "orders.csv": ORDERS}


def written(folder, **changes):
    folder.mkdir(exist_ok=True)
    for name, text in (FILES | changes).items():
        (folder / name).write_text(text)
    return folder


def at(clock, day=4):
    """Epoch seconds of a time of day in Helsinki."""
    hour, minute = clock.split(":")
    zone = DayClock(datetime.date(2024, 5, 4), "Europe/Helsinki").zone
    return int(datetime.datetime(2024, 5, day, int(hour), int(minute), tzinfo=zone).timestamp())


def hours_of(cells):
    """stores.csv with `opens_at,closes_at,hours` of the kiosk."""
    return f"store_id,lat,lng,opens_at,closes_at,hours\nkiosk,60.17,24.94,{cells}\nbakery,60.18,24.95,,,\n"
