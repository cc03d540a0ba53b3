"""What the owner of an experiment asks of its run beside the spec, within which bounds."""

import math
from dataclasses import dataclass
from typing import Any
from unicodedata import category

from cooldown.objectives.errors import InputError
from cooldown.objectives.plain_text import is_untypable

MOST_PRIORITY = 1_000
LONGEST_TIME = 10 * 365 * 86_400.0
MOST_EVALUATIONS = 2**62
LONGEST_OWNER, LONGEST_TAG, MOST_TAGS, LONGEST_NOTES = 200, 50, 20, 10_000


@dataclass(frozen=True)
class Terms:
    """What its owner asks of an experiment's run: no part of its fingerprint.

    priority: in the queue, higher first, from -1,000 to 1,000. time_limit: seconds for which it may be run, all runs
    together. max_gradient_evaluations: of all its replicates; when it has so many, nothing more is begun. None is no
    limit. owner, tags, notes: text by which people find it.

    Raises InputError for what is out of bounds, and for text that cannot be shown.
    """

    priority: int = 0
    time_limit: float | None = None
    max_gradient_evaluations: int | None = None
    owner: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""

    def __post_init__(self) -> None:
        if not _is_whole(self.priority, -MOST_PRIORITY, MOST_PRIORITY):
            raise InputError(
                f"priority: should be a whole number from -{MOST_PRIORITY:,} to {MOST_PRIORITY:,}, "
                f"got {self.priority!r:.80}"
            )
        limit = self.time_limit
        if limit is not None and not (_is_number(limit) and 0 < limit <= LONGEST_TIME):
            raise InputError(f"time_limit: should be more than 0 seconds and at most 10 years, got {limit!r:.80}")
        most = self.max_gradient_evaluations
        if most is not None and not _is_whole(most, 1, MOST_EVALUATIONS):
            raise InputError(f"max_gradient_evaluations: should be a whole number of at least 1, got {most!r:.80}")
        _check_line("owner", self.owner, LONGEST_OWNER)
        if not isinstance(self.tags, tuple) or len(self.tags) > MOST_TAGS:
            raise InputError(f"tags: should be at most {MOST_TAGS} texts, got {self.tags!r:.80}")
        for tag in self.tags:
            _check_line("tags", tag, LONGEST_TAG)
            if not tag.strip():
                raise InputError("tags: a tag should not be empty")
        if not isinstance(self.notes, str) or len(self.notes) > LONGEST_NOTES or _steers(self.notes):
            raise InputError(
                f"notes: should be text of at most {LONGEST_NOTES:,} characters, without control characters"
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _check_line(name: str, text: Any, longest: int) -> None:
    if not isinstance(text, str) or len(text) > longest or any(map(is_untypable, text)):
        raise InputError(f"{name}: should be one line of at most {longest} visible characters, got {text!r:.80}")


def _steers(text: str) -> bool:
    """Whether a text of several lines has characters that are none, which may steer a terminal."""
    return any(category(character) in ("Cc", "Cs") and character not in "\n\t" for character in text)


USUAL = Terms()


def unchanged(terms: Terms) -> Terms:
    """The same terms."""
    return terms
