"""Deep and narrow: 1,797 rows, 64 features, 10 classes, the digits through 12 hidden layers of 16 ReLU units.
Training is hard to start: signal and gradient pass twelve narrow layers. From He's initialization a tuned rate
reaches an accuracy of 0.9 in 30 epochs, but few rates do: with momentum, 0.03 fails for some seeds and 0.1 for
all. From normal weights of standard deviation 0.1 (He's is 0.35), SGD and momentum stay at chance at any rate,
and from 0.5 they improve little. Source: the data are those of `digits`; after the deep narrow networks of
Neelakantan et al. 2015, Adding Gradient Noise Improves Learning for Very Deep Networks.
"""

from cooldown.objectives.data.arrays import ArrayTask
from cooldown.objectives.tasks.digits import load

deep_narrow = ArrayTask("deep_narrow", "classification", load, hidden=(16,) * 12)
