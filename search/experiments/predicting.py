"""`cooldown predict`: what a model file answers for the rows of a table."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.data.fitted import FEATURES, READ
from cooldown.objectives.data.reading.columns import CategoryColumn, NumberColumn
from cooldown.objectives.data.reading.files import content_of, read_file, without
from cooldown.objectives.data.reading.notation import Notation
from cooldown.objectives.data.reading.options import Reading
from cooldown.objectives.data.reading.summary import ReadColumn
from cooldown.objectives.data.reading.svmlight import is_svmlight, read_svmlight
from cooldown.objectives.data.sparse_features import takes_sparse_rows
from cooldown.objectives.errors import InputError
from cooldown.search.export.model_file import ModelFile

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Predicted:
    """The answers of a model.

    table: a row for each row of the file, in its order: `prediction`, and of classes `probability_LABEL` for
    each; of several targets `prediction_0`, `prediction_1`, ….
    score: accuracy or R² by its name, if the file has the target; else None. remarks: what the reader should know.
    """

    table: "pd.DataFrame"
    score: tuple[str, float] | None
    remarks: tuple[str, ...]


def predict(file: ModelFile, rows_file: Path) -> Predicted:
    """The predictions of a model for the rows of a CSV, Parquet or Excel file, which is read as the model's training
    table was, or of a svmlight file for one that was trained on sparse rows.

    A model that was trained on arrays, as of a built-in task, takes the columns of the file in their order.
    Raises InputError for a model that cannot be loaded, missing columns and cells that cannot be read.
    """
    model, where = file.load(), repr(str(rows_file))
    if is_svmlight(rows_file):
        return _of_sparse_rows(model, rows_file, where)
    if READ not in model.named_steps:
        return _by_position(model, rows_file, where)
    columns = model.named_steps[READ].columns
    target = next(column for column in columns if column.role == "target")
    given, others = _read(rows_file, where, [column for column in columns if column.role in ("feature", "target")])
    ignored = [repr(name) for name in others if name not in {column.name for column in columns}]
    try:
        table = _answers(model, given)
    except InputError as error:
        raise InputError(f"{where}: {str(error).removeprefix('table: ')}") from None
    remarks = [f"columns that the model does not know are ignored: {', '.join(ignored)}"] if ignored else []
    score = None
    if target.name in given:
        try:
            told, cells = f"{where}: target {target.name!r}", given[target.name]
            score = _score(told, target, cells, table["prediction"].to_numpy(), hasattr(model, "classes_"))
        # Predictions do not need the target.
        except InputError as error:
            remarks.append(f"there is no score: {error}")
    return Predicted(table, score, tuple(remarks))


def _by_position(model: Any, path: Path, where: str) -> Predicted:
    """The answers of a model whose columns have no names, for a file with as many columns of numbers."""
    from pandas.api.types import is_numeric_dtype

    table, n = read_file(path, where, Reading(), None, []), model.n_features_in_
    if table.shape[1] != n:
        raise InputError(
            f"{where}: has {table.shape[1]} columns, but the model was trained on {n}. They have no names, so that the "
            "file must hold exactly these, in their order"
        )
    if texts := [repr(name) for name, cells in table.items() if not is_numeric_dtype(cells)]:
        raise InputError(f"{where}: must hold numbers; {', '.join(texts)} {'do' if len(texts) > 1 else 'does'} not")
    remark = "the model was trained on arrays, whose columns have no names: those of the file are taken in their order"
    return Predicted(_answers(model, table.to_numpy(np.float64)), None, (remark,))


def _of_sparse_rows(model: Any, path: Path, where: str) -> Predicted:
    """The answers of a model for a svmlight file, and its score with the file's labels."""
    if READ in model.named_steps or not takes_sparse_rows(model.named_steps[FEATURES]):
        raise InputError(f"{where}: is a svmlight file, but the model was not trained on sparse rows")
    X, labels, _ = read_svmlight(content_of(path, where), where)
    n, remarks = model.n_features_in_, []
    if X.shape[1] > n:
        remarks = [f"the model knows the columns up to index {n - 1}; cells of others are ignored"]
    X.resize(X.shape[0], n)
    table = _answers(model, X)
    if not np.isfinite(labels).all():
        return Predicted(table, None, (*remarks, "there is no score: some labels are not finite"))
    name = "accuracy" if hasattr(model, "classes_") else "R²"
    return Predicted(table, (name, float(model.score(X, labels))), tuple(remarks))


def _answers(model: Any, X: Any) -> "pd.DataFrame":
    """The predictions of a model, one column for each target, and of classes their probabilities."""
    import pandas as pd

    predicted = model.predict(X)
    if predicted.ndim > 1:
        return pd.DataFrame(predicted, columns=[f"prediction_{k}" for k in range(predicted.shape[1])])
    table = pd.DataFrame({"prediction": predicted})
    if hasattr(model, "classes_"):
        for label, of_label in zip(model.classes_, model.predict_proba(X).T, strict=True):
            table[f"probability_{label}"] = of_label
    return table


def _read(path: Path, where: str, columns: list[ReadColumn]) -> tuple["pd.DataFrame", list[str]]:
    """Those of the `columns` that the table in a file has, and the names of all others.

    Columns that were texts in the training table are read as texts.
    """
    decided = {column.name: column.column for column in columns}
    reading = Reading(
        missing=tuple({mark: None for column in decided.values() if column for mark in column.missing}),
        categories=tuple(
            name for name, column in decided.items() if isinstance(column, CategoryColumn) and column.declared
        ),
    )
    texts = [
        name
        for name, column in decided.items()
        if not (isinstance(column, NumberColumn) and column.notation == Notation())
    ]
    table = read_file(path, where, reading, None, texts)
    others = [name for name in table.columns if name not in decided]
    if len(others) == table.shape[1]:
        raise InputError(f"{where}: has no column of the training table, which are {', '.join(map(repr, decided))}")
    return without(table, where, others), others


def _score(
    where: str, target: ReadColumn, cells: "pd.Series[Any]", predicted: NDArray[Any], classifies: bool
) -> tuple[str, float] | None:
    """Accuracy or R² by its name, on the rows whose target is known; None if these do not have one.

    Raises InputError for a target that cannot be read.
    """
    import pandas as pd
    from sklearn.metrics import r2_score

    assert target.column is not None
    truth = target.column.values(where, cells)
    known = ~pd.isna(truth)
    truth, predicted = truth[known], predicted[known]
    if classifies:
        # Labels that are no numbers are read as texts, booleans too.
        answers = predicted if target.kind == "numbers" else predicted.astype(str)
        return ("accuracy", float(np.mean(answers == truth))) if len(truth) else None
    return ("R²", float(r2_score(truth, predicted))) if len(np.unique(truth)) > 1 else None
