"""Columns of the packed tables that a search reads.

Few wide arrays instead of many narrow ones: every array that crosses a compiled call is counted and copied, and a
search calls a hundred million times.
"""

# Tables.node[N, .] int32
PLACE, REQUEST, ENTER, STAY, OPEN, CLOSE, ACT, SETUP = range(8)
NODES = 8

# Tables.request[R, .] int64; the loads follow LOAD, what a drop takes on board follows them, or where goods may not all
# ride together (GOODS) what it adds to the count on board, and what it may not ride with at all and but from one stop;
# from PAIR_AT on, where that is not 0, its price in every vehicle.  NEXT_ROW: the one before of its choice, in a ring
KIND, SKIP, HOME, TAKE, PINNED, CARRIER, LONGEST_ABOARD, STORE, PLACED = range(9)
FIRST_DUE, SECOND_DUE, SLOPE, LATE, FIRST_PLACE, GROUP, RANK, NEXT_ROW, LOAD = 9, 10, 11, 14, 16, 17, 18, 19, 20
ADDS, APART, ONE_STOP = range(3)
BAG = 3

# Tables.vehicle[V, .] int64; the capacities follow CAPACITY, the loads at the start follow them, then with GOODS their
# count, with RELOADS what of the loads goes at the first one
START_PLACE, START, END_PLACE, END, LAST_PICKUP, PAID_UNTIL, PROFILE, MAX_REQUESTS, MAX_TRIPS = range(9)
FIXED, PER_WORK, PER_TICK, PER_METRE, TWIN, TOLD_PRICED, STANDING_AT, ARRIVED, START_COUNT = range(9, 18)
PER_DRIVE, PER_TOLL, PER_TASK, MAX_DRIVE, MAX_METRES, MAX_ACTS, MOST_RELOADS, MAX_DURATION, CAPACITY = range(18, 27)

# Tables.legs[., profile, P, Q + 1] int32; in this order, as far as they are there
TICKS, METRES, DRIVE, TOLL = range(4)

# Tables.flag[.] int64
PLAIN, MANY_WINDOWS, LIMITED_ON_BOARD, LATE_IS_FREE, ORDER_ADDED, ONE_STORE, STRIDE, DIMENSIONS = range(8)
ANY_LOADED, LONGEST_WAY, RICH, RANKED, MIXED, WEIGHED_BREAKS, BACK, GOODS, DETOUR = range(8, 17)
RELOADS, FIRST_RELOAD, OPTIONAL, WHOLE, ORDERED, MIN_USED, MAX_USED, PER_LONGEST, CHOICES, PAIR_AT = range(17, 27)
CLASSES = 27
FLAGS = 28

# Routes.row[V, ., L + 2] int32; the loads follow ON_BOARD_LOAD
NODE, AT_PLACE, LEG, LEAVE, LATEST, ON_BOARD_LOAD = range(6)

# Routes.state[V, L + 2, .] int64: a timed vehicle behind a stop; the loads follow CARRIED, with GOODS their count
NOW, PRICE, SUFFIX, RATE, ON_BOARD, TRIPS, IN_TRIP, CARRIED = range(8)

# Routes.early[V, ., L + 2, breaks + 1] int64: leaving a position with so many breaks taken, soonest and at the latest;
# with RELOADS when all is ready that is loaded there
SOONEST, LATEST_LEAVE, READY = range(3)

# Routes.total[V, .] int64
DRIVEN, METRES_DRIVEN = range(2)

# Kinds of requests (routing.plans.general.tables.Kind)
PAIR, PICKUP_ONLY, LOADED, ABOARD, GHOST, STAYING, RELOAD = range(7)

# Work.count[.] int64
INSERTIONS, ITERATIONS, ACCEPTED, IMPROVED = range(4)
COUNTS = 4

# Work.clock[.] int64: iteration, routes touched in it, absent before it, first iteration that the best has not seen,
# stamp of the last marking, version of the route refreshed last, nodes that an ejection has walked, insertions at which
# the next ejection follows
ITERATION, TOUCHED, OLD_ABSENT, UNKEPT, STAMP, VERSION, WALKED, EJECT_AT = range(8)
CLOCKS = 8

# Work.known[R, V, .] int64: the insertion found when the route had that version, gaps -1 where it costs more
AT_VERSION, COSTS, GAPS = range(3)

# Work.mark[V, .] int64: stamps of vehicles
SEEN, RUINED, TOUCHED_AT, CHANGED_AT, TOUCHED_LIST, CLOSED = range(6)
MARKS = 6

# Work.list[R + L, .] int64: scratch by request
ORDER, KEY, OLD, PICKED_AT, ABSENCES, LATELY = range(6)
LISTS = 6

INFINITE = 2**30 - 1
NEVER = 2**62
LOCKED = 2**50
BLINKS = 200
NEW_TRIP = 20  # bits of a gap: what lies above them says that an insertion opens a trip, and how
STEEPEST, LONG_DELAY = 2**29, 2**20  # bounds of a bound: their product stays below LOCKED
