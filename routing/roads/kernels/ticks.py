"""Milliseconds to whole seconds."""

from __future__ import annotations

import numpy as np

from routing.kernels import kernel


@kernel
def round_to_seconds(ms, no_way, unreachable):
    """Seconds to nearest, halves to even, int32[n, m]; `unreachable` where `ms` is `no_way` or too long."""
    seconds = np.empty(ms.shape, dtype=np.int32)
    for i in range(ms.shape[0]):
        line, out = ms[i], seconds[i]
        for j in range(len(line)):
            whole = line[j] // 1000
            rest = line[j] - 1000 * whole
            up = rest > 500 or (rest == 500 and whole % 2 == 1)
            out[j] = unreachable if line[j] == no_way else whole + up
    return seconds
