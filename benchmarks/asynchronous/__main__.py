"""Run the parts that are named, or all; see the package."""

import argparse
import time
from pathlib import Path

from rich.console import Console

from benchmarks import asynchronous
from benchmarks.asynchronous import delays, divergence, exchanges, momentum, threads
from cooldown.search.cli.tables import Printed
from cooldown.search.figures.printed import printed

PARTS = {
    module.__name__.rpartition(".")[2]: module.run for module in (threads, divergence, exchanges, delays, momentum)
}


def main() -> None:
    """Print each part's table, and write its figure."""
    parser = argparse.ArgumentParser(description=asynchronous.__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    parser.add_argument("--figures", type=Path, metavar="FOLDER", help="write a figure of each part as SVG")
    options = parser.parse_args()
    console = Console()
    for name in options.parts or PARTS:
        started = time.perf_counter()
        table, figure = PARTS[name]()
        console.print(f"\n{name}: {table.caption}\n", highlight=False)
        console.print(Printed(table))
        console.print(f"\n{time.perf_counter() - started:.0f} s", highlight=False)
        if options.figures is not None:
            path = options.figures / f"asynchronous-{name}.svg"
            path.write_bytes(printed(figure, "svg", width=14))


if __name__ == "__main__":
    main()
