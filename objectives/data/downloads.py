"""Data that scikit-learn downloads on first use and keeps in a folder of its own: one message where that fails."""

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from cooldown.objectives.errors import InputError

ATTEMPTS = "Retry downloading|A network error occurred|Invalid cache|SHA256 checksum of existing"
"""How scikit-learn's warnings begin that tell of an attempt which is followed by another: the last one counts."""


Loaded = TypeVar("Loaded")


def downloading(where: str) -> Callable[[Callable[[], Loaded]], Callable[[], Loaded]]:
    """For a function that has scikit-learn download data: it fails with one message, as of `fetched`."""

    def decorated(load: Callable[[], Loaded]) -> Callable[[], Loaded]:
        @wraps(load)
        def loaded() -> Loaded:
            found: Loaded = fetched(where, load)
            return found

        return loaded

    return decorated


def fetched(where: str, fetch: Callable[..., Any], **options: Any) -> Any:
    """`fetch(**options)`, a function of `sklearn.datasets` that downloads the data if they are not there yet.

    where: what a message begins with. Raises InputError that says where the data are kept and what went wrong.
    """
    from http.client import HTTPException

    from sklearn.datasets import get_data_home

    home = "$SCIKIT_LEARN_DATA"
    try:
        home = get_data_home()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ATTEMPTS)
            return fetch(**options)
    except InputError:
        raise
    # No network, no such host, a timeout, an answer that is an error, a full disk: urllib's errors are OSErrors.
    except (OSError, HTTPException) as error:
        raise InputError(
            f"{where}: scikit-learn downloads the data on first use and keeps them in {home}; this failed: "
            f"{_told(error)}"
        ) from None
    # A file that was cut off, or is another than expected: unpickling and parsing may then raise anything.
    except Exception as error:
        raise InputError(
            f"{where}: the data that scikit-learn keeps in {home} cannot be read: {_told(error)}"
        ) from error


def _told(error: BaseException) -> str:
    """What an exception says, in one line, with its type where the text alone could not be understood."""
    text = " ".join(str(error).split())
    return text if isinstance(error, OSError) and text else f"{type(error).__name__}: {text}"
