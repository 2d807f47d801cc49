"""`python -m benchmarks.peers NAME`: a pickled Question on standard input, a pickled Answer on standard output."""

from __future__ import annotations

import os
import pickle
import sys

from benchmarks.peers import solver_of

if __name__ == "__main__":
    question = pickle.load(sys.stdin.buffer)  # our own parent wrote it
    # Whatever a solver prints must not reach the answer.
    channel = os.dup(1)
    os.dup2(2, 1)
    answer = solver_of(sys.argv[1], question)(question)
    with os.fdopen(channel, "wb") as out:
        pickle.dump(answer, out)
