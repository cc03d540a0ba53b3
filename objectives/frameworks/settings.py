"""What another framework's optimizer needs to know of a config."""

from collections.abc import Mapping
from typing import Any, Protocol


class Entry(Protocol):
    """A catalog entry with its hyperparameters."""

    @property
    def name(self) -> str:
        """The entry's name in the catalog."""

    @property
    def hyperparameters(self) -> Mapping[str, Any]:
        """All its hyperparameters."""


class Settings(Protocol):
    """The rule of a `TrainConfig` and its strategies that change gradients and parameters."""

    @property
    def optimizer(self) -> Entry:
        """The rule."""

    @property
    def clip_norm(self) -> float | None:
        """The bound of the gradient's norm, None for none."""

    @property
    def gradient_noise(self) -> float:
        """The variance of the gradient's noise at the first update."""

    @property
    def gradient_noise_decay(self) -> float:
        """The exponent by which it decays."""

    @property
    def l2(self) -> float:
        """The factor of the penalty."""

    @property
    def weight_decay(self) -> float:
        """The decay of the parameters, in units of the rate."""

    @property
    def epochs(self) -> int:
        """The passes of the run."""

    @property
    def averaging(self) -> str:
        """The average that is reported: "none", "ema" or "swa"."""

    @property
    def averaging_decay(self) -> float:
        """The decay of the average `ema`."""

    @property
    def averaging_share(self) -> float:
        """The share of the epochs in the average `swa`."""

    @property
    def sam(self) -> float:
        """The radius of sharpness-aware minimization, 0 for none."""
