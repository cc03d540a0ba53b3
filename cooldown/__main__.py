"""`python -m cooldown`: the `cooldown` command. Ctrl-C has its handler before anything else is imported."""

from typing import NoReturn

from cooldown import interrupts


def main() -> NoReturn:
    """The `cooldown` command."""
    interrupts.install()
    from cooldown.search.cli import main as command

    command()


if __name__ == "__main__":
    main()
