"""Probes of generalization: what can be measured of a trained network beside its losses.

Each probe is a function of its own file; `probed` takes all of one trained network.
"""

from cooldown.objectives.probes.ablation import ablation_curve, area_under, selectivity
from cooldown.objectives.probes.probed import Probes, probed
from cooldown.objectives.probes.rescaling import rescaled
from cooldown.objectives.probes.sharpness import sharpness
from cooldown.objectives.probes.variance import gradient_variance

__all__ = [
    "Probes",
    "ablation_curve",
    "area_under",
    "gradient_variance",
    "probed",
    "rescaled",
    "selectivity",
    "sharpness",
]
