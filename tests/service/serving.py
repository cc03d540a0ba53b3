"""A server of a ledger as a program, to be killed: `serving.py URL PORT`, which lets in whoever asks."""

import sys

import uvicorn
from served import Served

from cooldown.search.service.service import Service
from cooldown.storage import Ledger

if __name__ == "__main__":
    url, port = sys.argv[1:]
    uvicorn.run(Served(Service(Ledger(url), url), {}).app(open=True), port=int(port), log_level="warning")
