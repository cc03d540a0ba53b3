"""Text from others where it is shown: characters that no reader sees, or that steer what shows them, made visible.

A column, a class or an experiment may be called anything. Control characters move a terminal's cursor or change its
colours; direction marks and zero-width characters make a text look like another one.
"""

import html
import json
import re
import unicodedata

UNSAFE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, of which tab and line feed are allowed
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # invisible letters and marks
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, ends of lines, directions
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff"  # half a character
    "\U000e0000-\U000e0fff"  # tags and variation selectors
    "]"
)

FORMULA = ("=", "+", "-", "−", "@", "\t", "\r")
"""How a cell begins that a spreadsheet takes for a formula."""


def visible(text: str) -> str:
    r"""The text with each such character as its escape in Python, such as `\x1b` or `\u202e`."""
    return UNSAFE.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), text)


def visible_in_json(document: str) -> str:
    """A JSON document with each such character as JSON's own escape, so that it says the same."""
    return UNSAFE.sub(lambda found: json.dumps(found.group())[1:-1], document)


def visible_in_toml(document: str) -> str:
    """The same for a TOML document whose strings are all in double quotes."""
    return UNSAFE.sub(lambda found: f"\\U{ord(found.group()):08x}", document)


def visible_in_html(text: str) -> str:
    """The text for HTML, and for plotly, which interprets tags in labels."""
    return html.escape(visible(text))


def cell(text: str) -> str:
    """The text as a cell of a CSV file: in a spreadsheet it is text, and no formula."""
    return f"'{visible(text)}" if text.startswith(FORMULA) else visible(text)


def as_name(text: str) -> str:
    """The text as a name that can be typed and is never taken for an option; "" where nothing of it is left."""
    typed = "".join("-" if is_untypable(character) else character for character in text)
    return re.sub(r"-{2,}", "-", typed).strip(" -")


def is_untypable(character: str) -> bool:
    """Whether a character has no place in a name: a control, an invisible one, or another space than " "."""
    return character != " " and (unicodedata.category(character)[0] in "CZ" or UNSAFE.match(character) is not None)
