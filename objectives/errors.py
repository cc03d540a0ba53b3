"""`InputError`: something a person gave that cannot be used, with a message that is complete in itself."""


class InputError(ValueError):
    """A bad input. Its message names the value and says what is wanted; the command line shows it and nothing else."""
