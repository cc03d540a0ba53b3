"""What a fresh experiment on every built-in task leaves behind, as fingerprints: by the protocol of today, and by
protocol 1, which experiments in older ledgers keep when they are extended.

`python tests/fingerprints.py` writes fingerprints.json anew; test_fingerprints.py holds the code against it. The bits
of a float depend on the machine's arithmetic (BLAS kernel, vector width): the fingerprints stand under the digest of a
tiny training run, and beside them the losses, which other machines reproduce to rounding.
"""

import hashlib
import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from cooldown.objectives import TrainConfig, tasks, train

RECORDED = Path(__file__).with_name("fingerprints.json")
SETTINGS: dict[str, Any] = {
    "arms": ("momentum+sgdr", "adam+cosine", "yellowfin+plateau"),
    "trials": 4,
    "repeats": 2,
    "epochs": 2,
    "seeds": 2,
    "finalists": 2,
    "finalist_seeds": 2,
    "confirm_seeds": 2,
    "generation": 2,
    "seed": 7,
}


def cached_downloads(folder: Path) -> None:
    """Files in the form of scikit-learn's cache, with made-up rows, for the tasks whose data it downloads."""
    rng = np.random.default_rng(0)
    joblib.dump(rng.lognormal(5, 0.3, (20_640, 9)), folder / "cal_housing_py3.pkz", compress=1)
    rows = 20_500
    cover = rng.integers(1, 8, rows)
    table = np.zeros((rows, 54))
    table[:, 0], table[:, 1] = np.arange(rows), cover + rng.normal(size=rows)
    table[np.arange(rows), 10 + rng.integers(0, 4, rows)] = 1
    table[np.arange(rows), 14 + rng.integers(0, 40, rows)] = 1
    (folder / "covertype").mkdir()
    joblib.dump(table, folder / "covertype" / "samples_py3", compress=1)
    joblib.dump(cover.astype(np.int32), folder / "covertype" / "targets_py3", compress=1)


def arithmetic() -> str:
    """The digest of a tiny training run: equal on machines that train to the same bits."""
    digest = hashlib.sha256()
    for name in ("digits", "quadratic"):
        config = TrainConfig.from_json({"optimizer": {"name": "adam", "learning_rate": 0.01}, "epochs": 1})
        for curve in train(tasks.get(name), [config], [0, 1])[0]:
            digest.update(curve.train_loss.tobytes() + curve.held_out_loss.tobytes())
    return digest.hexdigest()[:16]


PROTOCOLS = (1, 2)


def outcome(task: str, protocol: int, db: str) -> dict[str, Any]:
    """A fresh experiment's fingerprint and each arm's test loss."""
    from cooldown import compare

    document = compare(replace(tasks.get(task)), db=db, workers=1, protocol=protocol, **SETTINGS).to_json()
    losses = {arm["arm"]: arm["test_loss"] for arm in document["arms"]}
    return {"fingerprint": document["fingerprint"], "test_losses": losses}


def main() -> None:
    """Record this code's outcomes on this machine, beside those of other machines."""
    recorded = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SCIKIT_LEARN_DATA"] = folder
        cached_downloads(Path(folder))
        found = {}
        for task in tasks.names():
            found[task] = {str(each): outcome(task, each, f"sqlite:///{folder}/{task}-{each}.db") for each in PROTOCOLS}
            print(task, *(each["fingerprint"][:12] for each in found[task].values()), file=sys.stderr)  # noqa: T201
    recorded[arithmetic()] = found
    RECORDED.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
