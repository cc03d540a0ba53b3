"""`python -m search.cli`: the `cooldown` command."""

from search.cli import main

main()
