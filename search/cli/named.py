"""Commands about an experiment: the first argument is its name, also where that begins with a dash."""

from typing import Any

from typer.core import TyperCommand


class AboutExperiment(TyperCommand):
    """A command whose argument `name` comes first.

    A table may be called `-x.csv`, and whoever looks for its experiment types `cooldown show -x`.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As for any command, but a first argument such as `-x` that is none of its options is the name."""
        options = [option for parameter in self.params for option in parameter.opts]
        if not args or not args[0].startswith("-") or args[0].startswith(("--", *options)) or args[0] == "-":
            return super().parse_args(ctx, args)
        rest = super().parse_args(ctx, ["name", *args[1:]])
        ctx.params["name"] = args[0]
        return rest
