"""Where an idle vehicle shortens the expected wait of requests to come.

store s:    soonest[s, 0] -- soonest[s, 1] -- ...     ticks at which idle vehicles could be there, the soonest first
weight           1        --     1/2      --  ...     moving v to t takes it out of all rows and puts it into t's
"""

from __future__ import annotations

import numpy as np

from routing.kernels import kernel


@kernel
def price_of_store(rate, curve, bucket, times, count):
    """Expected delay at one store: its `count` soonest vehicles, each with half the weight of the one before it."""
    total = 0
    for i in range(count):
        b = (times[i] + bucket - 1) // bucket
        b = b if b < len(curve) else len(curve) - 1
        total += int(curve[b]) >> i
    return int(rate) * total


@kernel
def soonest_without(soonest, soonest_vehicle, v, depth, times):
    """Copy the soonest times of one store, those of vehicle v left out, into `times`; how many (at most `depth`)."""
    count = 0
    for i in range(len(soonest)):
        if soonest_vehicle[i] >= 0 and soonest_vehicle[i] != v and count < depth:
            times[count] = soonest[i]
            count += 1
    return count


@kernel
def with_one_more(times, count, depth, extra, longer):
    """Merge `extra` into the sorted times[:count], into `longer`; how many (at most `depth`)."""
    size = 0
    placed = False
    for i in range(count):
        if not placed and extra < times[i] and size < depth:
            longer[size] = extra
            size += 1
            placed = True
        if size < depth:
            longer[size] = times[i]
            size += 1
    if not placed and size < depth:
        longer[size] = extra
        size += 1
    return size


@kernel
def note_vehicle(soonest, soonest_vehicle, v, time):
    """Keep vehicle v with `time` in the sorted list of one store's soonest vehicles, in place of what it was."""
    size = len(soonest)
    kept = 0
    for i in range(size):
        if soonest_vehicle[i] >= 0 and soonest_vehicle[i] != v:
            soonest[kept], soonest_vehicle[kept] = soonest[i], soonest_vehicle[i]
            kept += 1
    for i in range(kept, size):
        soonest_vehicle[i] = -1
    i = kept if kept < size else size
    while i > 0 and soonest[i - 1] > time:
        if i < size:
            soonest[i], soonest_vehicle[i] = soonest[i - 1], soonest_vehicle[i - 1]
        i -= 1
    if i < size:
        soonest[i], soonest_vehicle[i] = time, v


@kernel
def gains_of(rate, curve, between, bucket, horizon, leg, longest, drive, depth, soonest, soonest_vehicle, v, gains):
    """Fill gains[t] with what moving vehicle v to store t is worth; what cannot be is worth the least of int64.

    leg: int32[S] ticks to each store for v; `drive`: what one costs.  Gives back nothing; scratch is local.
    """
    stores = len(rate)
    times, longer = np.zeros(depth, dtype=np.int64), np.zeros(depth, dtype=np.int64)
    rise, staying = 0, 0
    for t in range(stores):
        gains[t] = 0
    for s in range(stores):
        here = 0
        for i in range(depth):
            here += soonest_vehicle[s, i] >= 0
        now = price_of_store(rate[s], curve[s], bucket, soonest[s], here)
        count = soonest_without(soonest[s], soonest_vehicle[s], v, depth, times)
        without = price_of_store(rate[s], curve[s], bucket, times, count)
        rise += without - now
        staying += now
        furthest = times[depth - 1] if count == depth else 2**40
        for t in range(stores):
            if leg[t] > longest:
                continue
            if between[t, s] >= furthest:
                gains[t] -= without
                continue
            size = with_one_more(times, count, depth, between[t, s], longer)
            gains[t] -= price_of_store(rate[s], curve[s], bucket, longer, size)
    for t in range(stores):
        if leg[t] > longest:
            gains[t] = -(2**62)
        else:
            gains[t] = horizon * (staying + gains[t]) - int(leg[t]) * (rise + drive)


@kernel
def choose_moves(
    rate,
    curve,
    reach,
    between,
    idle,
    legs,
    bucket,
    horizon,
    least,
    longest,
    drive,
    depth,
    soonest,
    soonest_vehicle,
    targets,
):
    """Send each idle vehicle in turn to the store where it is worth most, if that is more than `least`."""
    vehicles, stores = reach.shape
    for v in range(vehicles):
        for s in range(stores):
            last = soonest.shape[1] - 1
            if soonest_vehicle[s, last] < 0 or reach[v, s] < soonest[s, last]:
                note_vehicle(soonest[s], soonest_vehicle[s], v, reach[v, s])
    gains = np.zeros(stores, dtype=np.int64)
    for i in range(len(idle)):
        v = idle[i]
        gains_of(
            rate, curve, between, bucket, horizon, legs[i], longest, drive, depth, soonest, soonest_vehicle, v, gains
        )
        best = -1
        for t in range(stores):
            if gains[t] > least and (best < 0 or gains[t] > gains[best]):
                best = t
        targets[i] = best
        if best >= 0:
            for s in range(stores):
                note_vehicle(soonest[s], soonest_vehicle[s], v, legs[i, best] + between[best, s])
