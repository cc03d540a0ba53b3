"""`python -m cooldown.search.cli`: the `cooldown` command."""

from cooldown.search.cli import main

main()
