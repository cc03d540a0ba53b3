"""What kind of command a command is: how its help is written, and which argument comes first."""

from typing import Any

from typer.core import TyperCommand


class Plain(TyperCommand):
    """A command whose help calls an argument by its name alone, as `NAME`, without braces and Python's types."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words of its first line."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write what its arguments and options are."""
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            shown = [param.get_help_record(ctx) for param in self.get_params(ctx) if param.param_type_name == kind]
            records = [(name.partition(" <")[0], about) for name, about in filter(None, shown)]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class AboutExperiment(Plain):
    """A command about an experiment, whose argument `name` comes first, also where that begins with a dash.

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
