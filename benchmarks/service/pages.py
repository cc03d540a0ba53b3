"""Pages of the dashboard that are open at once: websockets that speak to Streamlit as its browser part does."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from benchmarks.service.server import Running


@contextmanager
def opened(run: Running, count: int) -> Iterator[Sequence[float]]:
    """So many pages of experiments, which stay open and live while the context lasts. Yields the seconds that each took
    from its opening to the end of its first run.
    """
    cookie, seconds, failed = _signed_in(run), [0.0] * count, []
    with ExitStack() as stack:

        def open_page(number: int) -> None:
            began = time.perf_counter()
            headers = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{run.port}"}
            address = f"ws://127.0.0.1:{run.port}/_stcore/stream"
            try:
                page = stack.enter_context(
                    connect(address, subprotocols=["streamlit"], additional_headers=headers, max_size=None)  # type: ignore[list-item]
                )
                _drawn(page)
                seconds[number] = time.perf_counter() - began
                threading.Thread(target=_read, args=(page,), daemon=True).start()
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=open_page, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise SystemExit(f"{len(failed)} of {count} pages did not open: {failed[0]!r}")
        yield seconds


def _drawn(page: ClientConnection) -> None:
    """Ask for a page, and wait until all of it is there."""
    asked = BackMsg()
    asked.rerun_script.query_string = ""
    page.send(asked.SerializeToString())
    while True:
        content = page.recv(timeout=300)
        said = ForwardMsg.FromString(content) if isinstance(content, bytes) else ForwardMsg()
        if said.WhichOneof("type") == "script_finished":
            return


def _read(page: ClientConnection) -> None:
    """Take what a live page is sent, to its end."""
    for _ in page:
        pass


def _signed_in(run: Running) -> str:
    """The cookie of a browser that has signed in."""
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{run.port}"}
    with closing(HTTPConnection("127.0.0.1", run.port, timeout=300)) as connection:
        connection.request("POST", "/sign-in", f"token={run.tokens[0]}&then=/", form)
        answer = connection.getresponse()
        answer.read()
        return (answer.getheader("Set-Cookie") or "").partition(";")[0]
