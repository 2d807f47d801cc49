"""Answers of a travel service in the ledger: block by block, each in the transaction that tells the engine of it."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from routing.answers import AnswerBlock, Answers

log = logging.getLogger(__name__)

HEAD = "answers"
"""The ledger's value that names the source and counts the blocks; `answers/0` and on hold them."""
MOST_BLOCKS = 4_000

Values = list[tuple[str, Any]]


class HoldsValues(Protocol):
    """Who holds values: a ledger, or a reader of one."""

    def value(self, name: str) -> Any: ...


def read(ledger: HoldsValues, opened: Answers) -> Answers:
    """The answers that a ledger holds, on top of those that the service opened with; of another source: none."""
    head = ledger.value(HEAD)
    if head is None:
        return opened
    if head["source"] != opened.source or tuple(head["profiles"]) != opened.profiles:
        log.warning("the travel service, or how it is asked, has changed: what it answered before is forgotten")
        return opened
    answers = opened
    for number in range(head["blocks"]):
        held = ledger.value(f"{HEAD}/{number}")
        if held is not None:
            answers = answers.with_block(AnswerBlock.from_json(held))
    return answers


class KeptAnswers:
    """Where the next block goes."""

    def __init__(self, ledger: HoldsValues, opened: Answers) -> None:
        self.answers = read(ledger, opened)
        head = ledger.value(HEAD)
        self.blocks = 0 if head is None else int(head["blocks"])

    @property
    def are_many(self) -> bool:
        """True where they should be written anew in one block."""
        return self.blocks >= MOST_BLOCKS

    def add(self, answers: Answers, block: AnswerBlock) -> Values:
        """What the ledger is to hold where these answers come of one more block."""
        self.answers, self.blocks = answers, self.blocks + 1
        return [(HEAD, self._head()), (f"{HEAD}/{self.blocks - 1}", block.as_json())]

    def renew(self, answers: Answers, at: int) -> Values:
        """What the ledger is to hold where everything is written anew in one block."""
        gone: Values = [(f"{HEAD}/{number}", None) for number in range(1, self.blocks)]
        self.answers, self.blocks = answers, 1
        return [(HEAD, self._head()), (f"{HEAD}/0", answers.as_block(at).as_json()), *gone]

    def _head(self) -> dict[str, Any]:
        return {"source": self.answers.source, "profiles": self.answers.profiles, "blocks": self.blocks}
