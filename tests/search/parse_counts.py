"""How often an experiment is parsed, whoever asks for it."""

from collections import Counter
from typing import Any

import pytest

from cooldown.search.evidence import view


def counted_parses(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often from now on a spec is parsed, as "spec", and a search space built, by arm."""
    counts: Counter[str] = Counter()
    spec_of, search_space = view.spec_of_record, view.search_space

    def counted_spec(recorded: Any) -> Any:
        counts["spec"] += 1
        return spec_of(recorded)

    def counted_space(spec: Any, arm: Any, updates_per_epoch: int) -> Any:
        counts[arm.name] += 1
        return search_space(spec, arm, updates_per_epoch)

    monkeypatch.setattr(view, "spec_of_record", counted_spec)
    monkeypatch.setattr(view, "search_space", counted_space)
    return counts
