"""The largest numbers that an experiment may ask for.

They are far beyond what is of use: a slip of the finger is refused at once, and does not fill the disk or the memory.
"""

TRIALS = 100_000
REPEATS = 1_000
EPOCHS = 50_000
SEEDS = 1_000
BATCH_SIZE = 1_000_000
WIDTH, LAYERS = 10_000, 100
ARMS = 100
RANGES = 1_000
WORKERS = 256
STUDIES = 20_000
"""Arms × repeats: all of them are created before the first job."""
