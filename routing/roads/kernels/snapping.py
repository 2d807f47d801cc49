"""Nearest point of any allowed street, by a grid over the pieces of all streets' lines.

. . . . .      p: the cell of a point; ring 0 is that cell, ring 1 the cells around it, and so on.
. 1 1 1 .      A search ends with the first ring whose cells all lie farther away than the best piece found.
. 1 p 1 .
. 1 1 1 .
. . . . .
"""

from __future__ import annotations

import math

import numpy as np

from routing.kernels import inline_kernel, kernel


@kernel
def lay_grid(x, y, shape_start, cell_m, columns, rows):
    """Pieces of every grid cell: (cell_start int64[cells + 1], piece int32, edge int32 of every point).

    A piece is the index of its first point; it lies in every cell that its bounding box touches.
    """
    edge = np.empty(len(x), dtype=np.int32)
    for e in range(len(shape_start) - 1):
        for k in range(shape_start[e], shape_start[e + 1]):
            edge[k] = e
    cell_start = np.zeros(columns * rows + 1, dtype=np.int64)
    piece = np.empty(0, dtype=np.int32)
    cursor = np.empty(0, dtype=np.int64)
    for turn in range(2):
        for k in range(len(x) - 1):
            if edge[k] != edge[k + 1]:
                continue
            left, right = int(min(x[k], x[k + 1]) / cell_m), int(max(x[k], x[k + 1]) / cell_m)
            low, high = int(min(y[k], y[k + 1]) / cell_m), int(max(y[k], y[k + 1]) / cell_m)
            for r in range(low, high + 1):
                for c in range(left, right + 1):
                    cell = r * columns + c
                    if turn == 0:
                        cell_start[cell + 1] += 1
                    else:
                        piece[cursor[cell]] = k
                        cursor[cell] += 1
        if turn == 0:
            for cell in range(columns * rows):
                cell_start[cell + 1] += cell_start[cell]
            piece = np.empty(cell_start[-1], dtype=np.int32)
            cursor = cell_start[:-1].copy()
    return cell_start, piece, edge


@inline_kernel
def project(px, py, ax, ay, bx, by):
    """(squared distance, fraction) of the point of segment a-b that is nearest to p."""
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    t = 0.0
    if square > 0.0:
        t = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / square))
    ex, ey = px - ax - t * dx, py - ay - t * dy
    return ex * ex + ey * ey, t


@inline_kernel
def settle(here, length):
    """`here` as a fraction of `length` metres; exactly 0 or 1 within half a centimetre of an end, which is the node."""
    if here < 0.005:
        return 0.0
    return 1.0 if here > length - 0.005 else here / length


@kernel
def snap_points(px, py, x, y, along_m, shape_start, edge_of, cell_start, piece, cell_m, columns, rows, open_, max_m):
    """Nearest allowed edge of every point: (edge int32, -1 for none within max_m; fraction along it; metres to it).

    `x`, `y` metres of all line points, `along_m` metres from the start of their line; `open_` bool[e].  Equal
    distances go to the lower edge.
    """
    n = len(px)
    edge = np.full(n, -1, dtype=np.int32)
    fraction = np.zeros(n)
    metres = np.full(n, np.inf)
    for i in range(n):
        column, row = math.floor(px[i] / cell_m), math.floor(py[i] / cell_m)
        best = max_m * max_m
        # Outside the grid the first rings are empty: start with the ring that touches it.
        ring = max(0, max(max(-column, column - columns + 1), max(-row, row - rows + 1)))
        while True:
            # Whatever lies in this ring or beyond is at least (ring - 1) cells away.
            reach = max(0.0, (ring - 1) * cell_m)
            if reach * reach > best:
                break
            for r in range(max(0, row - ring), min(rows - 1, row + ring) + 1):
                whole = r == row - ring or r == row + ring
                stride = 1 if whole or ring == 0 else 2 * ring
                for c in range(column - ring, column + ring + 1, stride):
                    if c < 0 or c >= columns:
                        continue
                    cell = r * columns + c
                    for j in range(cell_start[cell], cell_start[cell + 1]):
                        k = piece[j]
                        e = edge_of[k]
                        if not open_[e]:
                            continue
                        square, t = project(px[i], py[i], x[k], y[k], x[k + 1], y[k + 1])
                        if square < best or (square == best and (edge[i] < 0 or e < edge[i])):
                            best = square
                            edge[i] = e
                            length = along_m[shape_start[e + 1] - 1]
                            here = along_m[k] + t * (along_m[k + 1] - along_m[k])
                            fraction[i] = settle(here, length)
                            metres[i] = math.sqrt(square)
            if ring > columns + rows and ring > max(abs(column), abs(row)) + columns + rows:
                break
            ring += 1
    return edge, fraction, metres


@kernel
def snap_candidates(
    px, py, x, y, along_m, shape_start, edge_of, cell_start, piece, cell_m, columns, rows, open_, max_m, slack_m, most
):
    """The nearest allowed edges of every point, nearest first: (edge int32[n, most], -1 for none; fraction; metres).

    Those are kept that lie within max_m and no more than slack_m farther than the nearest.  Arguments as in
    `snap_points`; equal distances go to the lower edge.
    """
    n = len(px)
    edge = np.full((n, most), -1, dtype=np.int32)
    fraction = np.zeros((n, most))
    metres = np.full((n, most), np.inf)
    for i in range(n):
        column, row = math.floor(px[i] / cell_m), math.floor(py[i] / cell_m)
        ring = max(0, max(max(-column, column - columns + 1), max(-row, row - rows + 1)))
        found, away, share = edge[i], metres[i], fraction[i]
        while True:
            bound = min(max_m, away[0] + slack_m)
            if max(0.0, (ring - 1) * cell_m) > bound:
                break
            for r in range(max(0, row - ring), min(rows - 1, row + ring) + 1):
                whole = r == row - ring or r == row + ring
                stride = 1 if whole or ring == 0 else 2 * ring
                for c in range(column - ring, column + ring + 1, stride):
                    if c < 0 or c >= columns:
                        continue
                    cell = r * columns + c
                    for j in range(cell_start[cell], cell_start[cell + 1]):
                        k = piece[j]
                        e = edge_of[k]
                        if not open_[e]:
                            continue
                        square, t = project(px[i], py[i], x[k], y[k], x[k + 1], y[k + 1])
                        metre = math.sqrt(square)
                        if metre > min(max_m, away[0] + slack_m):
                            continue
                        length = along_m[shape_start[e + 1] - 1]
                        here = settle(along_m[k] + t * (along_m[k + 1] - along_m[k]), length)
                        keep_nearest(found, away, share, e, metre, here)
            if ring > columns + rows and ring > max(abs(column), abs(row)) + columns + rows:
                break
            ring += 1
        for k in range(1, most):
            if away[k] > away[0] + slack_m:
                found[k] = -1
                away[k] = np.inf
    return edge, fraction, metres


@inline_kernel
def keep_nearest(found, away, share, e, metre, here):
    """Put edge `e` into the rising lists, once, at its nearest."""
    last = len(found) - 1
    for k in range(len(found)):
        if found[k] == e:
            if metre >= away[k]:
                return
            last = k
            break
    if (
        last == len(found) - 1
        and found[last] != e
        and not (metre < away[last] or (metre == away[last] and e < found[last]))
    ):
        return
    k = last
    while k > 0 and (metre < away[k - 1] or (metre == away[k - 1] and e < found[k - 1])):
        found[k], away[k], share[k] = found[k - 1], away[k - 1], share[k - 1]
        k -= 1
    found[k], away[k], share[k] = e, metre, here
