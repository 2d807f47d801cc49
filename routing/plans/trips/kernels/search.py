"""Large-neighbourhood search over batches and assignment jointly: take a few requests out, put them back cheapest.

An iteration is kept when it does not raise the price.  What it touches is saved before and restored otherwise.  The
price still to be paid is bounded from below all along, so that most bad iterations end early.
"""

from __future__ import annotations

from routing.kernels import inner_kernel, lean_kernel
from routing.plans.trips.kernels import layout
from routing.plans.trips.kernels.places import best_place, change_price, copy_row, put_in, take_out, time_row

NEVER = layout.NEVER


@inner_kernel
def draw(rng, n):
    """Next random integer in [0, n): xorshift on 32 bits, in int64 so that plain Python gives the same."""
    x = rng[0]
    x ^= (x << 13) & 0xFFFFFFFF
    x ^= x >> 17
    x ^= (x << 5) & 0xFFFFFFFF
    rng[0] = x
    return x % n


@inner_kernel
def skip_price(day, plan, r):
    """Price of leaving request r out, what was told included."""
    return day.facts.request[r, layout.SKIP] + change_price(day.facts.request, day.before, r, -1)


@lean_kernel
def keeps(day, plan, v):
    """Whether vehicle v keeps one of the requests it must in the trip it was told.

    One in a later trip would not do: the vehicle would have come for nothing.
    """
    begin, end = day.must_keep_ptr[v], day.must_keep_ptr[v + 1]
    kept = begin == end
    for k in range(min(1, plan.chain[v, layout.FIRST])):
        row = v * (plan.trip.shape[1] - 1) + k
        for j in range(plan.trip[v, k, layout.COUNT]):
            for i in range(begin, end):
                kept = kept or plan.orders[row, j] == day.must_keep[i]
    return kept


@lean_kernel
def insert_all(day, plan, requests):
    """Put each request, in the sequence given, into its cheapest place, or leave it out where that is cheaper.

    Gives back the places tried.
    """
    work = 0
    for i in range(len(requests)):
        r = requests[i]
        _, v, k, joined, tried = best_place(day, plan, r, skip_price(day, plan, r))
        work += tried
        if v >= 0:
            put_in(day, plan, r, v, k, joined)
    return work


@inner_kernel
def save(plan, search, v, saved):
    """Save the row of vehicle v unless it is saved; the number of rows saved."""
    if search.slot[v] >= 0:
        return saved
    search.slot[v] = len(search.slot) + saved
    search.saved[saved] = v
    copy_row(plan, v, search.slot[v])
    return saved + 1


@inner_kernel
def release(plan, search, saved, size, undo):
    """Forget what was saved, after writing it back where `undo`."""
    for i in range(saved):
        v = search.saved[i]
        if undo:
            copy_row(plan, search.slot[v], v)
        search.slot[v] = -1
    if undo:
        for i in range(size):
            plan.where[search.pool[i]] = search.home[i]


@inner_kernel
def in_pool(search, size, r):
    """Whether request r is among the first `size` of the pool."""
    found = False
    for i in range(size):
        found = found or search.pool[i] == r
    return found


@inner_kernel
def score_related(day, search, seed):
    """Score every movable request by how far it is from `seed`: stores apart and ready apart, with some noise."""
    store, ready = day.facts.request[seed, layout.PICK], day.facts.request[seed, layout.READY]
    for i in range(len(search.movable)):
        r = search.movable[i]
        apart = abs(day.facts.request[r, layout.READY] - ready)
        if day.facts.request[r, layout.PICK] != store:
            leg = int(day.facts.legs[0, store, day.facts.request[r, layout.PICK], 0])
            apart += leg if leg < layout.FAR else layout.FAR
        search.score[i] = (apart + 60) * (32 + draw(search.rng, 64))


@inner_kernel
def closest(search, size):
    """The best scored request outside the pool, or -1."""
    best, best_score = -1, NEVER
    for i in range(len(search.movable)):
        if search.score[i] < best_score and not in_pool(search, size, search.movable[i]):
            best, best_score = search.movable[i], search.score[i]
    return best


@inner_kernel
def choose_related(day, search, seed, want):
    """Fill the pool with `want` requests around `seed`."""
    score_related(day, search, seed)
    search.pool[0] = seed
    size = 1
    while size < want:
        r = closest(search, size)
        if r < 0:
            break
        search.pool[size] = r
        size += 1
    return size


@inner_kernel
def choose_random(search, seed, want):
    """Fill the pool with `seed` and requests drawn at random."""
    search.pool[0] = seed
    size = 1
    for _ in range(want - 1):
        r = search.movable[draw(search.rng, len(search.movable))]
        if not in_pool(search, size, r):
            search.pool[size] = r
            size += 1
    return size


@inner_kernel
def add_row(day, plan, search, v, size):
    """Add every movable request of vehicle v to the pool, as far as it has room."""
    for k in range(plan.chain[v, layout.TRIPS]):
        for j in range(plan.trip[v, k, layout.COUNT]):
            r = plan.orders[v * (plan.trip.shape[1] - 1) + k, j]
            if size < len(search.pool) and day.facts.request[r, layout.TAKE] < NEVER and not in_pool(search, size, r):
                search.pool[size] = r
                size += 1
    return size


@inner_kernel
def choose_rows(day, plan, search, seed, vehicles):
    """Fill the pool with the plans of the seed's vehicle and of `vehicles` - 1 more that serve related requests."""
    score_related(day, search, seed)
    search.pool[0] = seed
    size = 1
    if plan.where[seed] >= 0:
        size = add_row(day, plan, search, plan.where[seed], size)
    for _ in range(vehicles - 1):
        r = closest(search, size)
        if r < 0 or size >= len(search.pool):
            break
        search.pool[size] = r
        size += 1
        if plan.where[r] >= 0:
            size = add_row(day, plan, search, plan.where[r], size)
    return size


@inner_kernel
def ruin(day, plan, search, size):
    """Take the pool out of the plan: (change of price, rows saved, legal)."""
    delta, saved = 0, 0
    for i in range(size):
        r = search.pool[i]
        v = plan.where[r]
        search.home[i] = v
        if v < 0:
            delta -= skip_price(day, plan, r)
        else:
            saved = save(plan, search, v, saved)
            delta -= change_price(day.facts.request, day.before, r, v)
            take_out(plan, r)
    for i in range(saved):
        v = search.saved[i]
        if not time_row(day, plan, v, 0):
            return delta, saved, False
        delta += plan.chain[v, layout.TOTAL] - plan.chain[search.slot[v], layout.TOTAL]
    return delta, saved, True


@inner_kernel
def shuffle(search, size):
    """Put the first `size` of the pool into random sequence, with where they came from."""
    for i in range(size - 1, 0, -1):
        j = draw(search.rng, i + 1)
        search.pool[i], search.pool[j] = search.pool[j], search.pool[i]
        search.home[i], search.home[j] = search.home[j], search.home[i]


@inner_kernel
def recreate(day, plan, search, size, delta, saved):
    """Put the pool back, each request at its cheapest place: (change of price, rows saved, places tried, worth it).

    Not worth it: even if all that remains cost only its floor, the price would rise.
    """
    owed, tried = 0, 0
    for i in range(size):
        owed += day.facts.request[search.pool[i], layout.FLOOR]
    for i in range(size):
        r = search.pool[i]
        owed -= day.facts.request[r, layout.FLOOR]
        out = skip_price(day, plan, r)
        limit = 1 - delta - owed
        limit = out if out < limit else limit
        price, v, k, joined, more = best_place(day, plan, r, limit)
        tried += more
        if v < 0:
            if limit < out:
                return delta, saved, tried, False
            delta += out
            continue
        saved = save(plan, search, v, saved)
        delta += price
        put_in(day, plan, r, v, k, joined)
    return delta, saved, tried, delta <= 0


@lean_kernel
def search_slice(day, plan, search, work):
    """Iterate until `work` places were tried: (fall of the price, places tried)."""
    movable = len(search.movable)
    gained, done = 0, 0
    while done < work and movable > 0:
        seed = search.movable[draw(search.rng, movable)]
        kind = draw(search.rng, 3)
        want = 2 + draw(search.rng, 5)
        if kind == 0:
            size = choose_related(day, search, seed, want)
        elif kind == 1:
            size = choose_rows(day, plan, search, seed, 2 + draw(search.rng, 2))
        else:
            size = choose_random(search, seed, want)
        delta, saved, worth = ruin(day, plan, search, size)
        tried = 0
        if worth:
            shuffle(search, size)
            delta, saved, tried, worth = recreate(day, plan, search, size, delta, saved)
        for i in range(saved):
            worth = worth and keeps(day, plan, search.saved[i])
        release(plan, search, saved, size, not worth)
        gained -= delta if worth else 0
        done += tried + 1
    return gained, done
