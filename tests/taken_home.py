"""A table of every kind of column, and a short config: what models to take home are trained with."""

from typing import Any

import numpy as np
import pandas as pd

from cooldown import TrainConfig

N = 120

READ = {"dates": "day", "categories": "zip", "drop": "id"}


def table() -> pd.DataFrame:
    """Prices as texts, missing numbers, labels that are digits, booleans, dates and a column to leave out.

    Targets: `grade` of whole numbers, `word` of texts, `yes` of booleans, and the positive `cost`.
    """
    rng = np.random.default_rng(0)
    flag = rng.random(N) < 0.5
    day = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 900, N), unit="D")
    signal = np.where(flag, 1.0, -1.0) + 0.3 * rng.normal(size=N)
    return pd.DataFrame(
        {
            "id": np.arange(N) + 100,
            "price": [f"{value:,.2f} €".translate(str.maketrans(",.", ".,")) for value in rng.uniform(100, 9000, N)],
            "size": np.where(rng.random(N) < 0.2, np.nan, 1e6 + rng.normal(size=N)),
            "town": np.where(np.arange(N) == 7, "rare", rng.choice(["north", "south"], N)),
            "zip": rng.choice(["10115", "80331"], N),
            "flag": flag,
            "day": day.strftime("%d.%m.%Y"),
            "grade": np.digitize(signal, [-0.5, 0.8]) * 3,
            "word": np.where(signal > 0, "yes", "no"),
            "yes": signal > 0,
            "cost": 1000 * np.exp(signal),
        }
    )


TARGETS = ("grade", "word", "yes", "cost")


def table_for(target: str, *without: str) -> pd.DataFrame:
    """The table with this target alone, and without some columns."""
    return table().drop(columns=[name for name in (*TARGETS, *without) if name != target])


def config(epochs: int = 8, **fields: Any) -> TrainConfig:
    """A short run with a high rate."""
    adam = {"name": "adam", "learning_rate": 0.02}
    return TrainConfig.from_json({"optimizer": adam, "schedule": {"name": "cosine"}, "epochs": epochs, **fields})
