"""The lock of what belongs to the whole process: Python's warnings filters, the global random generators, PyTorch's
tracer.

One lock for all of them: with a lock each, two threads could wait for each other's, each holding one.
"""

from threading import RLock

process_state = RLock()
"""Held by the thread that changes any of these, until it has put them back."""
