"""Times out of a travel service's answers, compared with a plain loop; answers that grow, are forgotten and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from routing.answers import NO_ANSWER, NO_WAY, UNKNOWN, AnswerBlock, Answers
from routing.asked_travel import AskedTravel
from routing.cells import cell_of
from routing.errors import InvalidInput, UnreadableFile
from routing.places import PlaceBook
from routing.travel import UNREACHABLE, StraightTravel

SPEEDS = {"bike": 250.0, "car": 500.0}
RESOLUTION = 10


def book_of(points: np.ndarray) -> PlaceBook:
    places = PlaceBook("wgs84")
    for lat, lng in points.tolist():
        places.add(lat, lng)
    return places


def scattered(seed: int, count: int = 14) -> np.ndarray:
    draw = np.random.default_rng(seed)
    points = np.array([48.1, 11.5]) + draw.uniform(0, 0.02, (count, 2))
    points[-1] = points[0]  # two places in one cell
    return points


def block_of(cells: np.ndarray, seed: int, at: int = 1_000) -> AnswerBlock:
    draw = np.random.default_rng(seed)
    some = np.unique(draw.choice(cells, 6))
    others = np.unique(draw.choice(cells, 5))
    tenths = draw.integers(0, 9_000, (2, len(some), len(others))).astype(np.int32)
    odd = draw.uniform(size=tenths.shape)
    tenths[odd < 0.1] = NO_WAY
    tenths[(odd >= 0.1) & (odd < 0.2)] = NO_ANSWER
    metres = np.where(tenths < 0, UNKNOWN, tenths * 3).astype(np.int32)
    return AnswerBlock(some, others, tenths, metres, at)


def travel_of(places: PlaceBook, answers: Answers) -> AskedTravel:
    return AskedTravel(places, answers, SPEEDS, detour=1.3, resolution=RESOLUTION)


@pytest.mark.parametrize("seed", range(20))
def test_every_way_is_what_was_answered_last_or_a_straight_line(seed: int) -> None:
    points = scattered(seed)
    places = book_of(points)
    cells = np.array([cell_of(lat, lng, RESOLUTION) for lat, lng in points.tolist()], dtype=np.uint64)
    answers, said = Answers.none("service", tuple(SPEEDS)), {}
    for number in range(3):
        block = block_of(cells, 10 * seed + number)
        answers = answers.with_block(block)
        for i, here in enumerate(block.origins.tolist()):
            for j, there in enumerate(block.destinations.tolist()):
                said[here, there] = block.tenths[:, i, j].tolist(), block.metres[:, i, j].tolist()
    everywhere = np.arange(len(points), dtype=np.int32)
    travel, straight = travel_of(places, answers), StraightTravel(places, SPEEDS, detour=1.3)
    found, ways = travel.table(everywhere, everywhere[:9], 0), travel.metres(everywhere, everywhere[:9], 0)
    lines, lengths = straight.table(everywhere, everywhere[:9], 0), straight.metres(everywhere, everywhere[:9], 0)
    for profile in range(2):
        for i in range(len(points)):
            for j in range(9):
                pair = int(cells[i]), int(cells[j])
                tenths, metres = (UNKNOWN, UNKNOWN)
                if pair in said and pair[0] != pair[1]:
                    tenths, metres = said[pair][0][profile], said[pair][1][profile]
                seconds = UNREACHABLE if tenths == NO_WAY else round(tenths / 10)
                assert found[profile, i, j] == (lines[profile, i, j] if tenths in (UNKNOWN, NO_ANSWER) else seconds)
                assert ways[profile, i, j] == (metres if metres >= 0 else lengths[profile, i, j])


def test_a_place_that_moves_travels_from_its_new_cell() -> None:
    points = scattered(1)
    places = book_of(points)
    cells = np.array([cell_of(lat, lng, RESOLUTION) for lat, lng in points.tolist()], dtype=np.uint64)
    tenths = np.full((2, 1, 1), 770, dtype=np.int32)
    block = AnswerBlock(cells[2:3], cells[3:4], tenths, tenths, 5)
    travel = travel_of(places, Answers.none("service", tuple(SPEEDS)).with_block(block))
    here, there = np.array([1], dtype=np.int32), np.array([3], dtype=np.int32)
    assert travel.table(here, there, 0)[0, 0, 0] != 77
    places.move(1, *points[2].tolist())
    assert travel.table(here, there, 0)[0, 0, 0] == 77


def test_answers_do_not_change_under_whoever_counts_with_them() -> None:
    cells = np.array([cell_of(lat, lng, RESOLUTION) for lat, lng in scattered(2).tolist()], dtype=np.uint64)
    first = Answers.none("service", tuple(SPEEDS)).with_block(block_of(cells, 1))
    digest, tenths = first.digest, first.tenths.copy()
    second = first.with_block(block_of(cells, 2))
    assert np.array_equal(first.tenths, tenths) and second.digest != digest
    assert first.with_block(block_of(cells, 1)).digest == digest


def test_what_is_missing_is_what_nobody_asked_about_or_not_lately() -> None:
    cells = np.unique([cell_of(lat, lng, RESOLUTION) for lat, lng in scattered(3).tolist()]).astype(np.uint64)
    tenths = np.full((2, 2, 3), NO_ANSWER, dtype=np.int32)
    answers = Answers.none("service", tuple(SPEEDS)).with_block(
        AnswerBlock(cells[:2], cells[:3], tenths, tenths, at=100)
    )
    assert answers.missing(cells[:3], cells[:3]).tolist() == [[False] * 3, [False] * 3, [True] * 3]
    assert answers.missing(cells[:2], cells[1:3], before=101).tolist() == [[True, True], [True, True]]
    kept = answers.only(cells[1:3])
    assert kept.missing(cells[:3], cells[:3]).tolist() == [
        [True, True, True], [True, False, False], [True, True, True],
    ]  # fmt: skip
    # What is written anew in one block says the same, and no more.
    again = Answers.none("service", tuple(SPEEDS)).with_block(AnswerBlock.from_json(kept.as_block(7).as_json()))
    assert again.digest == kept.digest
    assert np.array_equal(again.missing(cells[:3], cells[:3]), kept.missing(cells[:3], cells[:3]))


def test_a_file_of_answers_is_read_back_and_another_services_is_refused(tmp_path: Path) -> None:
    cells = np.array([cell_of(lat, lng, RESOLUTION) for lat, lng in scattered(4).tolist()], dtype=np.uint64)
    answers = Answers.none("service", tuple(SPEEDS)).with_block(block_of(cells, 1))
    file = tmp_path / "answers.npz"
    answers.save(str(file))
    assert Answers.load(str(file), "service", tuple(SPEEDS)).digest == answers.digest
    with pytest.raises(InvalidInput) as other:
        Answers.load(str(file), "another", tuple(SPEEDS))
    assert other.value.code == "other_answers" and other.value.details["file"] == str(file)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(UnreadableFile):
        Answers.load(str(file), "service", tuple(SPEEDS))


def test_places_on_a_plane_are_refused() -> None:
    with pytest.raises(InvalidInput) as problem:
        travel_of(PlaceBook("plane"), Answers.none("service", tuple(SPEEDS)))
    assert problem.value.code == "wrong_frame"
