"""Files of models: a pickle of joblib, and behind it what the file says of itself, which is read without unpickling.

Unpickling runs code that the file contains: a file is opened only if its end says that `cooldown export` wrote it, that
nothing of it is missing or changed, and that the versions of the packages fit. That protects from mistakes, not from
malice: a file from a stranger must not be opened.
"""

import json
import os
import struct
import warnings
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from sklearn.pipeline import Pipeline

from cooldown.objectives.config import SCHEMA
from cooldown.objectives.errors import CooldownWarning, InputError
from cooldown.objectives.quiet import quiet
from cooldown.search.export.model import versions

MAGIC = b"\ncooldown model\n"
END = struct.Struct(f"<QI{len(MAGIC)}s")
"""The end of a file: the bytes of its pickle, those of the document behind it, and `MAGIC`."""

LARGEST_DOCUMENT = 16 * 2**20
"""Bytes of a document. A table of 50,000 columns has some 5 MB."""


class _Experiment(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    name: str
    fingerprint: str


class ModelAbout(BaseModel):
    """What a file says of its model, as far as it is used; other fields are for human readers.

    sha256: of the pickle. versions: of Python and of the packages that wrote it.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    experiment: _Experiment
    arm: str
    versions: dict[str, str]
    sha256: str


def model_bytes(model: Pipeline, about: dict[str, Any]) -> bytes:
    """The content of a model's file, which `joblib.load` can read too."""
    import joblib

    file = BytesIO()
    joblib.dump(model, file)
    pickle = file.getvalue()
    document = json.dumps({**about, "sha256": sha256(pickle).hexdigest()}, allow_nan=False).encode()
    return pickle + document + END.pack(len(pickle), len(document), MAGIC)


def read_about(path: Path) -> ModelAbout:
    """What a model's file says of itself; nothing is unpickled. InputError for another file, or one that is cut off."""
    return _read(path)[0]


def load_model(path: str | os.PathLike[str]) -> Pipeline:
    """The fitted pipeline in a file of `cooldown export NAME -o model.joblib`.

    Loading runs code that the file contains: open only files whose origin you know. Versions of packages that differ
    from those that wrote it give a `CooldownWarning`; those of which the first number differs (of 0.x the second) are
    refused. Raises InputError for these, and for a file that is none of these, damaged, or cannot be loaded.
    """
    import joblib

    path = Path(path)
    about, pickle = _read(path)
    differing = _check_versions(path, about.versions)
    if sha256(pickle).hexdigest() != about.sha256:
        raise InputError(f"{str(path)!r} is damaged: its content is not what was written; export the model again")
    if differing:
        warnings.warn(
            f"{str(path)!r} was written with {differing}: its predictions may differ from those that it had there",
            CooldownWarning,
            stacklevel=2,
        )
    try:
        # scikit-learn warns of its version once for each of the steps.
        with quiet():
            model = joblib.load(BytesIO(pickle))
    # Classes of other versions may fail in any way.
    except Exception as error:
        written = ", ".join(f"{name} {version}" for name, version in about.versions.items())
        raise InputError(
            f"{str(path)!r} cannot be loaded ({type(error).__name__}: {error}); it was written with {written}"
        ) from error
    if not isinstance(model, Pipeline):
        raise InputError(f"{str(path)!r} holds a {type(model).__name__}, not a fitted Pipeline")
    return model


def _read(path: Path) -> tuple[ModelAbout, bytes]:
    """What a file says of itself, and its pickle."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - END.size, 0))
            end = file.read()
            n_pickle, n_document, magic = END.unpack(end) if len(end) == END.size else (0, 0, b"")
            # Nothing of another file is read, however large it is.
            if magic != MAGIC or n_document > LARGEST_DOCUMENT or n_pickle + n_document + END.size != size:
                raise InputError(
                    f"{str(path)!r} is not a model written by `cooldown export NAME -o model.joblib`, or its end is "
                    "missing"
                )
            file.seek(0)
            pickle, document = file.read(n_pickle), file.read(n_document)
    except FileNotFoundError:
        raise InputError(f"file {str(path)!r} does not exist") from None
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return _about(path, document), pickle


def _about(path: Path, document: bytes) -> ModelAbout:
    try:
        content = json.loads(document)
        schema = content.get("schema") if isinstance(content, dict) else None
        if isinstance(schema, int) and schema > SCHEMA:
            raise InputError(
                f"{str(path)!r} was written by a newer version of Cooldown: its schema is {schema}, this version reads "
                f"up to {SCHEMA}"
            )
        return ModelAbout.model_validate(content)
    except (RecursionError, UnicodeDecodeError, json.JSONDecodeError, ValidationError):
        raise InputError(f"{str(path)!r} is damaged: what it says of its model cannot be read") from None


def _check_versions(path: Path, written: dict[str, str]) -> str:
    """The versions that differ, in words; InputError for those with which the file cannot be loaded."""
    now = versions()
    differing = {name: version for name, version in written.items() if name in now and now[name] != version}
    told = {name: f"{name} {version} (here is {now[name]})" for name, version in differing.items()}
    if other := [name for name in differing if _generation(differing[name]) != _generation(now[name])]:
        install = " ".join(f"'{name}=={differing[name]}'" for name in other if name != "python")
        advice = f"install what it needs (pip install {install})" if install else "use that version of Python"
        raise InputError(
            f"{str(path)!r} was written with {', '.join(told[name] for name in other)} and cannot be loaded: {advice}, "
            "or export the model again"
        )
    return ", ".join(told.values())


def _generation(version: str) -> tuple[str, ...]:
    """The first number of a version, and of 0.x the second: what may break when it changes."""
    first, *others = version.split(".")
    return (first, *others[:1]) if first == "0" else (first,)
