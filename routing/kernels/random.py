"""A small random generator whose state is an array argument, so that a plan repeats bit for bit."""

from __future__ import annotations

import numpy as np

from routing.kernels import inline_kernel, inner_kernel


@inline_kernel
def next_bits(state):
    """Marsaglia's xorshift64 (2003, triple 13, 7, 17): only shifts and xors, the same with the JIT off."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return x


@inner_kernel
def below(state, limit):
    """A whole number from 0 to `limit` - 1."""
    return np.int64(next_bits(state) >> np.uint64(33)) % limit


@inner_kernel
def shuffle(state, items, count):
    """Put items[:count] in a random order (Fisher-Yates)."""
    for k in range(count - 1, 0, -1):
        other = below(state, k + 1)
        items[k], items[other] = items[other], items[k]
