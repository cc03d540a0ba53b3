"""`InputError`: an input that cannot be used, and `CooldownWarning`: a condition that its user should know about."""


class InputError(ValueError):
    """A bad input. Its message gives the value and the rule; the command line shows it without a traceback."""


class CooldownWarning(UserWarning):
    """What this machine cannot do, or does differently than before. The command line shows it as a note."""
