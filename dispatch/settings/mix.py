"""Which goods may ride together: `rules.mix`, one line of text, as a rule for every two classes of goods.

    any                                             everything rides with everything
    same_store                                      one store until the bag is empty
    hot_food: same_store; grocery, parcel: any      by class; `others` stands for all that are not named

Of two classes the stricter word counts.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dispatch.errors import InvalidSetting

KEY = "rules.mix"

USUAL_CLASS = "hot_food"
"""The class of an order that names none, from a store that names none."""

CLASSES = (USUAL_CLASS, "cold_food", "grocery", "frozen", "parcel", "medicine")
"""Classes that everybody knows; a line of `rules.mix` may name more."""

ANY, SAME_STORE, OWN_CLASS, ALONE = WORDS = ("any", "same_store", "own_class", "alone")
"""What a class may ride with: anything, what was picked up with it at its store, its own class, nothing."""

OTHERS = "others"

MOST_OWN = 4
"""Classes that may each ride with their own alone: a search tells seven apart, and the other words make three."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class MixRule(NamedTuple):
    """A line of `rules.mix`, read."""

    others: str
    """The word of classes that the line does not name."""
    words: Mapping[str, str]

    @property
    def everywhere(self) -> str:
        """The one word that holds for all classes, empty where they differ."""
        found = {self.others, *self.words.values()}
        return found.pop() if len(found) == 1 else ""

    def word(self, goods_class: str) -> str:
        """What the class may ride with."""
        return self.words.get(goods_class, self.others)

    @property
    def classes(self) -> tuple[str, ...]:
        """Every class that an order may name."""
        return tuple(dict.fromkeys((*CLASSES, *self.words)))


@functools.cache
def mix_rule(text: str) -> MixRule:
    """A line of `rules.mix` as a rule; raises InvalidSetting naming what is wrong."""
    if text.strip() in (ANY, SAME_STORE, ALONE):
        return MixRule(text.strip(), {})
    words: dict[str, str] = {}
    for name, word in _named(text):
        if name in words:
            raise _wrong(f"{name} stands twice in {text!r}")
        words[name] = _word(word)
    others = words.pop(OTHERS, ANY)
    if sum(word == OWN_CLASS for word in words.values()) > MOST_OWN or others == OWN_CLASS:
        raise _wrong(f"at most {MOST_OWN} classes, each by its name, can ride with their own class alone")
    return MixRule(others, words)


def check_mix(text: str) -> None:
    """Raises InvalidSetting where the text is no line of `rules.mix`."""
    mix_rule(text)


def class_of(of_order: str, of_store: str) -> str:
    """The class of an order's goods: the one it names, its store's, or the usual one."""
    return of_order or of_store or USUAL_CLASS


def groups_of(rule: MixRule, classes: Sequence[str]) -> tuple[list[int], list[str]]:
    """Number of each order's group of classes that are treated alike, and the word of each group.

    `classes`: the class of each order.  A group that rides with its own class alone is of one class.
    """
    number: dict[tuple[str, str], int] = {}
    found = []
    for goods_class in classes:
        word = rule.word(goods_class)
        key = (word, goods_class if word == OWN_CLASS else "")
        found.append(number.setdefault(key, len(number)))
    return found, [word for word, _ in number]


def stricter(first: str, second: str, *, alike: bool) -> str:
    """What holds between two groups: `any`, `same_store`, or `alone` for never; `alike`: they are one group."""
    if ALONE in (first, second) or (OWN_CLASS in (first, second) and not alike):
        return ALONE
    return SAME_STORE if SAME_STORE in (first, second) else ANY


def _named(text: str) -> Iterator[tuple[str, str]]:
    for clause in text.split(";"):
        names, colon, word = clause.partition(":")
        if not colon:
            raise _wrong(f"{clause.strip()!r} says nothing of classes")
        for name in names.split(","):
            if not _NAME.fullmatch(name.strip()):
                raise _wrong(f"{name.strip()!r} is no name of a class of goods")
            yield name.strip(), word.strip()


def _word(text: str) -> str:
    if text not in WORDS:
        raise _wrong(f"{text!r} is no rule for goods")
    return text


def _wrong(message: str) -> InvalidSetting:
    hint = f"One of {', '.join(WORDS)} for all classes, or for instance: hot_food: same_store; grocery, parcel: any"
    return InvalidSetting(message, field=KEY, hint=hint)
