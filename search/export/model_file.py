"""Files of models: a pickle of joblib, and behind it what the file says of itself, which is read without unpickling.

Unpickling runs code that the file contains: a file is opened only if its end says that `cooldown export` wrote it, that
nothing of it is missing or changed, and that the versions of the packages fit. That protects from mistakes, not from
malice: a file from a stranger must not be opened.
"""

import json
import os
import struct
import warnings
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from sklearn.pipeline import Pipeline

from cooldown.objectives.config import SCHEMA
from cooldown.objectives.errors import CooldownWarning, InputError
from cooldown.objectives.files import MODEL_BYTES, read_file
from cooldown.objectives.quiet import quiet
from cooldown.search.export.model import versions

MAGIC = b"\ncooldown model\n"
END = struct.Struct(f"<QI{len(MAGIC)}s")
"""The end of a file: the bytes of its pickle, those of the document behind it, and `MAGIC`."""


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


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A file that is read but not unpickled. about: what it says of itself. pickle: its content."""

    path: Path
    about: ModelAbout
    pickle: bytes

    def load(self) -> Pipeline:
        """The fitted pipeline; see `load_model`."""
        import joblib

        name = repr(str(self.path))
        if differing := _check_versions(name, self.about.versions):
            warnings.warn(
                f"{name} was written with {differing}: its predictions may differ from those that it had there",
                CooldownWarning,
                stacklevel=3,
            )
        try:
            # scikit-learn warns of its version once for each of the steps.
            with quiet():
                model = joblib.load(BytesIO(self.pickle))
        # Classes of other versions may fail in any way.
        except Exception as error:
            written = ", ".join(f"{package} {version}" for package, version in self.about.versions.items())
            raise InputError(
                f"{name} cannot be loaded ({type(error).__name__}: {error}); it was written with {written}"
            ) from error
        if not isinstance(model, Pipeline):
            raise InputError(f"{name} holds a {type(model).__name__}, not a fitted Pipeline")
        return model


def load_model(path: str | os.PathLike[str]) -> Pipeline:
    """The fitted pipeline in a file of `cooldown export NAME -o model.joblib`.

    Loading runs code that the file contains: open only files whose origin you know. Versions of packages that differ
    from those that wrote it give a `CooldownWarning`; those of which the first number differs (of 0.x the second) are
    refused. Raises InputError for these, and for a file that is none of these, damaged, or cannot be loaded.
    """
    return read_model_file(Path(path)).load()


def read_model_file(path: Path) -> ModelFile:
    """The file of a model, of which nothing is unpickled. InputError for another file, and for one that is damaged."""
    name = repr(str(path))
    content = read_file(path, name, MODEL_BYTES)
    n_pickle, n_document, magic = END.unpack(content[-END.size :]) if len(content) >= END.size else (0, 0, b"")
    if magic != MAGIC:
        raise InputError(
            f"{name} is not a model written by `cooldown export NAME -o model.joblib`, or its end is missing"
        )
    pickle, document = content[:n_pickle], content[n_pickle : n_pickle + n_document]
    about = _about(name, document)
    if n_pickle + n_document + END.size != len(content) or sha256(pickle).hexdigest() != about.sha256:
        raise InputError(f"{name} is damaged: its content is not what was written; export the model again")
    return ModelFile(path, about, pickle)


def _about(name: str, document: bytes) -> ModelAbout:
    try:
        content = json.loads(document)
        schema = content.get("schema") if isinstance(content, dict) else None
        if isinstance(schema, int) and schema > SCHEMA:
            raise InputError(
                f"{name} was written by a newer version of Cooldown: its schema is {schema}, this version reads "
                f"up to {SCHEMA}"
            )
        return ModelAbout.model_validate(content)
    except (RecursionError, UnicodeDecodeError, json.JSONDecodeError, ValidationError):
        raise InputError(f"{name} is damaged: what it says of its model cannot be read") from None


def _check_versions(name: str, written: dict[str, str]) -> str:
    """The versions that differ, in words; InputError for those with which the file `name` cannot be loaded."""
    now = versions()
    differing = {package: version for package, version in written.items() if now.get(package, version) != version}
    told = {package: f"{package} {version} (here is {now[package]})" for package, version in differing.items()}
    if others := [package for package in differing if _generation(differing[package]) != _generation(now[package])]:
        install = " ".join(f"'{package}=={differing[package]}'" for package in others if package != "python")
        advice = f"install what it needs (pip install {install})" if install else "use that version of Python"
        raise InputError(
            f"{name} was written with {', '.join(told[package] for package in others)} and cannot be loaded: {advice}, "
            "or export the model again"
        )
    return ", ".join(told.values())


def _generation(version: str) -> tuple[str, ...]:
    """The first number of a version, and of 0.x the second: what may break when it changes."""
    first, *others = version.split(".")
    return (first, *others[:1]) if first == "0" else (first,)
