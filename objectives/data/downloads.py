"""Data that scikit-learn downloads on first use and caches in a folder: one clear message if that fails."""

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from cooldown.objectives.errors import InputError

ATTEMPTS = "Retry downloading|A network error occurred|Invalid cache|SHA256 checksum of existing"
"""How scikit-learn's warnings about a failed attempt begin, which it repeats: only the last failure matters."""


DOWNLOADS = "downloads"
"""The attribute of a function that may download what it loads."""

Loaded = TypeVar("Loaded")


def downloading(where: str) -> Callable[[Callable[[], Loaded]], Callable[[], Loaded]]:
    """Decorate a function that lets scikit-learn download data: it fails with the message of `fetched`."""

    def decorated(load: Callable[[], Loaded]) -> Callable[[], Loaded]:
        @wraps(load)
        def loaded() -> Loaded:
            data: Loaded = fetched(where, load)
            return data

        setattr(loaded, DOWNLOADS, True)
        return loaded

    return decorated


def fetched(where: str, fetch: Callable[..., Any], **options: Any) -> Any:
    """Call `fetch(**options)`, a function of `sklearn.datasets` that downloads the data unless they are cached.

    where: the start of a message. Raises InputError with the folder of the data and the reason of the failure.
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
    # No network, no such host, a timeout, an HTTP error, a full disk: urllib's errors are OSErrors.
    except (OSError, HTTPException) as error:
        raise InputError(
            f"{where}: scikit-learn downloads the data on first use to {home}; this failed: {_message(error)}"
        ) from None
    # A truncated or unexpected file: unpickling and parsing may then raise anything.
    except Exception as error:
        raise InputError(
            f"{where}: the data that scikit-learn keeps in {home} cannot be read: {_message(error)}"
        ) from error


def _message(error: BaseException) -> str:
    """An exception's message in one line, with its type unless it is an OSError with a text."""
    text = " ".join(str(error).split())
    return text if isinstance(error, OSError) and text else f"{type(error).__name__}: {text}"
