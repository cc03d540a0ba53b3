"""The worker process of `cooldown serve`, which starts it: it ends when its standard input does.

What it says is a line of JSON each, as the server's own lines are.
"""

import argparse
import os
import threading

from cooldown import interrupts
from cooldown.objectives.trust import trust_nothing
from cooldown.search.service.access.log import log_to_stderr, logged
from cooldown.search.service.worker import Worker

if __name__ == "__main__":
    interrupts.install()
    parser = argparse.ArgumentParser(prog="cooldown.search.service")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--trust", action="store_true")
    given = parser.parse_args()
    if not given.trust:
        trust_nothing()
    log_to_stderr()
    worker = Worker(workers=given.workers, trust=given.trust, say=lambda message: logged(worker=message))

    def _end_with_stdin() -> None:
        # Not through `sys.stdin`, whose lock would be held when the interpreter ends.
        while os.read(0, 4096):
            pass
        worker.drain()

    threading.Thread(target=_end_with_stdin, daemon=True).start()
    with interrupts.draining(worker.drain):
        worker.work()
