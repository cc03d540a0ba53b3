"""Which questions are answered: `cooldown compare` with its default settings on every built-in task that needs no
download, or with --until-decided.

    python -m benchmarks.answers [--until-decided] [--seeds 1] [--tasks iris,wine]
"""

import argparse
import tempfile
import time

from rich.console import Console
from rich.table import Table

from cooldown import compare, tasks

DOWNLOADED = ("california_housing", "covertype")


def main() -> None:
    """Run the experiments, and print each answer as it comes, and the share of each word."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--until-decided", action="store_true")
    parser.add_argument("--seeds", type=int, default=1, help="experiments per task")
    parser.add_argument("--tasks", default=",".join(name for name in tasks.names() if name not in DOWNLOADED))
    arguments = parser.parse_args()
    options = {"until_decided": True, "max_repeats": 40} if arguments.until_decided else {}
    table = Table("task", "seed", "word", "repeats", "seconds", "answer", box=None)
    words: list[str] = []
    for name in arguments.tasks.split(","):
        for seed in range(arguments.seeds):
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                result = compare(name, db=f"sqlite:///{folder}/answers.db", seed=seed, **options)
                seconds = time.perf_counter() - started
            found = result.answer
            words.append(found.word)
            repeats = str(result.record.spec["repeats"])
            table.add_row(name, str(seed), found.word, repeats, f"{seconds:.0f}", f"{found.sentence} {found.why}")
    console = Console(width=160)
    console.print(table)
    for word in sorted(set(words), key=words.count, reverse=True):
        console.print(f"{word}: {words.count(word)} of {len(words)}")


if __name__ == "__main__":
    main()
