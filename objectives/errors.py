"""`InputError`: an input that cannot be used, with a message that is complete in itself."""


class InputError(ValueError):
    """A bad input. Its message gives the value and the rule; the command line shows it without a traceback."""
