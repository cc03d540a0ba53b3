"""joblib: a fitted scikit-learn pipeline, trained on all rows, that `cooldown predict` and `load_model` read."""

from cooldown.search.export.format import Chosen, Exported, ModelFormat


def write(chosen: Chosen, n_seeds: int) -> Exported:
    """The pipeline as a pickle, and behind it what it is (model_file.py)."""
    from cooldown.search.export.model import about, trained
    from cooldown.search.export.model_file import model_bytes

    model, remarks = trained(chosen, n_seeds)
    return Exported(model_bytes(model, about(chosen, model, n_seeds)), remarks)


joblib = ModelFormat(
    "joblib", ".joblib", "a scikit-learn pipeline, trained on all rows, for `cooldown predict` and Python", write
)
