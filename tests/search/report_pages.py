"""What the tests of the report share: small experiments in each state, and a reader of pages."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

from search_runs import run_in_threads, spec

from cooldown.storage import ExperimentRecord, Status

ARMS = ("momentum", "momentum+cosine", "adam", "adam+cosine")
HOSTILE = ["<script>alert(1)</script>", '"); import os', "🔥 emoji", "{{ 7*7 }}", "</script><b>", "a'b \\ --x"]


class Page(HTMLParser):
    """What the tests ask of a page: its headings, ids, links, figures and tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.headings, self.ids, self.elements = "", [], [], []  # type: ignore[var-annotated]
        self._inside: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.elements.append((tag, given))
        if "id" in given:
            self.ids.append(given["id"])
        if tag not in ("meta", "link", "br"):
            self._inside.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append([int(tag[1]), ""])

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag, f"{tag} closes another element"

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self._inside):
            self.text += data
        if self.headings and self._inside and re.fullmatch("h[1-6]", self._inside[-1]):
            self.headings[-1][1] += data


def read(text: str) -> Page:
    page = Page(text)
    assert page._inside == []
    return page


def told(page: Page) -> str:
    return " ".join(page.text.split())


def small(url: str) -> ExperimentRecord:
    """An experiment of four arms that is done."""
    return run_in_threads(url, spec(arms=ARMS, trials=6, epochs=3), name="small one")


def of_arms(record: ExperimentRecord, *arms: str) -> ExperimentRecord:
    """The experiment with these arms alone."""
    kept = {
        name: tuple(study for study in getattr(record, name) if study.arm in arms)
        for name in ("studies", "default_configs")
    }
    return replace(record, spec={**record.spec, "arms": list(arms)}, **kept)


def untested(record: ExperimentRecord) -> ExperimentRecord:
    """Searched, and nothing more."""
    studies = [
        replace(study, trials=tuple(replace(t, curves=dict(list(t.curves.items())[:1])) for t in study.trials))
        for study in record.studies
    ]
    return replace(record, studies=tuple(studies), default_configs=(), status=Status.INTERRUPTED)


def begun(record: ExperimentRecord, studies: int, status: Status) -> ExperimentRecord:
    """With trials in so many studies, and none in the others."""
    kept = [study if i < studies else replace(study, trials=()) for i, study in enumerate(record.studies)]
    return replace(record, status=status, studies=tuple(kept), default_configs=())


STATES: dict[str, Callable[[ExperimentRecord], ExperimentRecord]] = {
    "done": lambda record: record,
    "running": lambda record: begun(record, 3, Status.RUNNING),
    "interrupted": untested,
    "failed": lambda record: replace(begun(record, 1, Status.FAILED), message="a worker died"),
    "empty": lambda record: begun(record, 0, Status.RUNNING),
    "one arm": lambda record: of_arms(record, "adam"),
    "pruned": lambda record: replace(record, spec={**record.spec, "pruner": "median"}),
    "without an environment": lambda record: replace(record, environment={}),
}
