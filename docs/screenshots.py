"""The pictures of the dashboard that README and docs show, into docs/images/: `make screenshots`.

They show `cooldown compare digits` with its defaults, which runs first.
"""

import re
import tempfile
from contextlib import chdir
from pathlib import Path

from cooldown import compare
from tests.browser import chromium, opened, served

DOCS = Path(__file__).resolve().parent
IMAGES = DOCS / "images"
SETTLED = 2500
"""Milliseconds until charts are drawn."""


def shown() -> set[str]:
    """The names of the pages whose pictures, images/NAME.png, are shown."""
    texts = [path.read_text() for path in (DOCS.parent / "README.md", *DOCS.glob("*.md"))]
    return {name for text in texts for name in re.findall(r"images/(\w+)\.png", text)}


def main() -> None:
    """Run the experiment and take the pictures."""
    # In the default ledger, whose path no command on the pages has to name.
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        compare("digits")
        with served("sqlite:///cooldown.db") as address, chromium() as browser, opened(browser, height=1000) as page:
            for name in shown():
                page.goto(f"{address}/{name}?experiment=digits")
                page.get_by_role("heading", level=1).wait_for()
                page.wait_for_timeout(SETTLED)
                # At most the first 1,400 pixels of the page.
                height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
                page.set_viewport_size({"width": 1280, "height": min(int(height), 1400)})
                page.wait_for_timeout(SETTLED)
                page.screenshot(path=IMAGES / f"{name}.png")
                page.set_viewport_size({"width": 1280, "height": 1000})


if __name__ == "__main__":
    main()
