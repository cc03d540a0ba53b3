"""`Buckets`: how often each caller may do something."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

MOST_CALLERS = 10_000
"""Callers that are remembered; those that were quiet for longest are forgotten first."""


class Buckets:
    """A token bucket for each caller. rate: allowed per second, in the long run. burst: allowed at once.

    clock: seconds. May be used by several threads.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, caller: Hashable) -> float:
        """Take one from the caller's bucket. Returns 0, or where it is empty the seconds until there is one again."""
        with self._lock:
            held, now = self._now(caller)
            if held < 1:
                return (1 - held) / self._rate
            self._held[caller] = held - 1, now
            self._held.move_to_end(caller)
            while len(self._held) > MOST_CALLERS:
                self._held.popitem(last=False)
            return 0.0

    def wait(self, caller: Hashable) -> float:
        """What `take` would return, without taking one."""
        with self._lock:
            held, _ = self._now(caller)
            return max(0.0, (1 - held) / self._rate)

    def _now(self, caller: Hashable) -> tuple[float, float]:
        """What the caller's bucket holds now, and when that is."""
        now = self._clock()
        held, since = self._held.get(caller, (float(self._burst), now))
        return min(float(self._burst), held + (now - since) * self._rate), now
