"""Dashboard, sign-in page and report look alike: the same fonts and colours, in both themes."""

import re
from importlib.resources import files

import pytest

from cooldown.dashboard.server import OPTIONS
from cooldown.dashboard.style import DARK, LIGHT
from cooldown.search.service.access.sign_in import page

CSS = (files("cooldown.search.report") / "report.css").read_text("utf-8")
THEMES = dict(zip(("light", "dark"), re.findall(r":root \{(.*?)\}", CSS, re.S), strict=False))


def of_report(theme: str, name: str) -> str:
    found = re.search(rf"\s--{name}: (.*?);", THEMES[theme])
    assert found is not None
    return found[1]


def test_fonts_are_those_of_the_report() -> None:
    assert OPTIONS["theme.font"] == of_report("light", "font")
    assert OPTIONS["theme.codeFont"] == of_report("light", "mono")


@pytest.mark.parametrize(("theme", "ours"), [("light", LIGHT), ("dark", DARK)])
def test_colours_are_those_of_the_report(theme: str, ours: dict[str, str]) -> None:
    named = {"backgroundColor": "page", "secondaryBackgroundColor": "raised", "textColor": "text", "linkColor": "link"}
    for option, name in named.items():
        assert OPTIONS[f"theme.{theme}.{option}"] == of_report(theme, name)
    assert ours["muted"] == of_report(theme, "muted")


def test_the_sign_in_page_has_these_colours_too() -> None:
    shown = page("", "/")
    for name in ("page", "raised", "text", "muted", "line"):
        assert f"light-dark({of_report('light', name)},{of_report('dark', name)})" in shown
