"""Screenshots of every page of the dashboard, light and dark, into docs/images/: `make screenshots`.

They show `cooldown compare digits` with its defaults, which runs first.
"""

import sys
import tempfile
from pathlib import Path

from cooldown import compare
from cooldown.dashboard.pages import pages
from tests.browser import chromium, opened, served

IMAGES = Path(__file__).parent / "images"
SETTLED = 2500
"""Milliseconds until charts are drawn."""


def main() -> None:
    """Run the experiment and take the screenshots."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{Path(folder) / 'cooldown.db'}"
        compare("digits", db=url)
        with served(url) as address, chromium() as browser:
            for dark in (False, True):
                with opened(browser, dark=dark, height=1000) as page:
                    first = pages()[0].name
                    for name in (entry.name for entry in pages()):
                        path = "" if name == first else name
                        page.goto(f"{address}/{path}?experiment=digits")
                        page.get_by_role("heading", level=1).wait_for()
                        page.wait_for_timeout(SETTLED)
                        # At most the first 1,400 pixels of the page.
                        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
                        page.set_viewport_size({"width": 1280, "height": min(int(height), 1400)})
                        page.wait_for_timeout(SETTLED)
                        page.screenshot(path=IMAGES / f"{name}-{'dark' if dark else 'light'}.png")
                        page.set_viewport_size({"width": 1280, "height": 1000})


if __name__ == "__main__":
    main()
