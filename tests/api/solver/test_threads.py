"""Threads of a search follow the backlog between their bounds, and are left where they do not help."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.solver.threads import FORGOTTEN_AFTER, LEAST_GAIN, WANTED_SHARE, Threads

ALLOWED_S = 6.0


class Machine:
    """Searches take `order_s` an order, and `helps(threads)` times less."""

    def __init__(self, threads: Threads, order_s: float, cores: int) -> None:
        self.threads, self.order_s, self.cores = threads, order_s, cores

    def rounds(self, count: int, orders: int, fewest: int = 1) -> list[int]:
        used = []
        for _ in range(count):
            chosen = self.threads.choice(fewest, orders, ALLOWED_S)
            self.threads.note(chosen, orders, self.order_s * orders / min(chosen, self.cores))
            used.append(chosen)
        return used


def test_a_peak_takes_more_threads_and_gives_them_back() -> None:
    machine = Machine(Threads(8), 0.02, cores=8)
    assert machine.rounds(5, 20) == [1] * 5, "twenty orders take .4 s of 6"
    peak = machine.rounds(8, 600)
    assert peak[0] == 1 or peak[0] == 2
    assert peak[-1] == 8 and sorted(peak) == peak, "twelve seconds of work"
    assert machine.rounds(3, 20) == [1] * 3
    assert 5 < machine.threads.gain()[8] < 9


def test_where_threads_do_not_help_they_are_left_and_the_figure_says_so() -> None:
    machine = Machine(Threads(8), 0.02, cores=1)
    used = machine.rounds(20, 600)
    assert used[-1] == 1 and set(used) == {1, 2, 4, 8}, "each was tried once"
    assert all(gain < LEAST_GAIN for gain in machine.threads.gain().values())
    assert set(machine.rounds(FORGOTTEN_AFTER + 5, 600)) == {1, 2, 4, 8}, "and again after a while"


def test_without_an_upper_bound_it_is_what_the_settings_say() -> None:
    machine = Machine(Threads(), 0.02, cores=8)
    assert machine.rounds(5, 600, fewest=3) == [3] * 5


@given(
    st.integers(1, 8), st.integers(1, 64), st.lists(st.tuples(st.integers(0, 2000), st.floats(0.0, 30.0)), max_size=40)
)
def test_it_stays_between_its_bounds_whatever_rounds_take(
    fewest: int, most: int, rounds: list[tuple[int, float]]
) -> None:
    threads = Threads(most)
    for orders, lasted_s in rounds:
        chosen = threads.choice(fewest, orders, ALLOWED_S)
        assert fewest <= chosen <= max(fewest, most)
        threads.note(chosen, orders, lasted_s)
    if rounds:
        known = threads.gain()
        assert all(number >= fewest for number in known)


def test_a_round_that_fits_takes_the_fewest() -> None:
    threads = Threads(8)
    threads.note(1, 100, 0.9 * WANTED_SHARE * ALLOWED_S)
    threads.note(2, 100, 0.2)
    assert threads.choice(1, 100, ALLOWED_S) == 1 and threads.choice(1, 200, ALLOWED_S) == 2
