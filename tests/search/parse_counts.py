"""How often an experiment is parsed, whoever asks for it."""

from collections import Counter
from typing import Any

import pytest

from cooldown.search.evidence import view


def counted_parses(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often from now on a spec is parsed, as "spec", and a search space built, by arm."""
    counts: Counter[str] = Counter()
    recorded_spec, search_space = view.recorded_spec, view.search_space

    def counted_spec(fields: Any) -> Any:
        counts["spec"] += 1
        return recorded_spec(fields)

    def counted_space(spec: Any, arm: Any, updates_per_epoch: int) -> Any:
        counts[arm.name] += 1
        return search_space(spec, arm, updates_per_epoch)

    monkeypatch.setattr(view, "recorded_spec", counted_spec)
    monkeypatch.setattr(view, "search_space", counted_space)
    return counts
