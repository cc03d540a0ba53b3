"""Text files: their encoding, by the mark at their start, and their line ends."""

import codecs

from cooldown.objectives.errors import InputError

# The mark of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(content: bytes) -> str:
    """The encoding that a file's first bytes tell, else UTF-8."""
    return next((encoding for mark, encoding in MARKS if content.startswith(mark)), "utf-8")


def decoded(content: bytes, where: str) -> str:
    """The text of a file; InputError if it is none. where: the start of messages."""
    encoding = encoding_of(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        found = f"byte {error.start} is 0x{content[error.start]:02x}"
        raise InputError(f"{where}: is not text in {name}: {found}; save it as UTF-8") from None
    if "\0" in text:
        raise InputError(f"{where}: is not text: character {text.index(chr(0))} is NUL")
    return text
