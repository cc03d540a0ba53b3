"""The server: Streamlit's, with our settings and no others, behind the gate; beside the pages the service's API.

A server that only this machine's programs reach lets in whoever asks. Any other wants a token, for the pages too.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from cooldown.dashboard import acting
from cooldown.dashboard.gate import Gate
from cooldown.search.service.access.log import RequestLog, log_to_stderr
from cooldown.search.service.access.middleware import Access
from cooldown.search.service.access.visitors import Visitors
from cooldown.search.service.delivery import Deliverer
from cooldown.search.service.service import MB, Limits, Service
from cooldown.storage import Ledger
from cooldown.storage.address import database_url

OPTIONS = {
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": False,
    "server.maxUploadSize": 1,
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "runner.magicEnabled": False,
    # Streamlit searches the process for garbage after every run of a page or a part of it, for a tenth of a second
    # or longer, before it draws a page again. Links followed meanwhile are most likely those that were forgotten.
    "runner.postScriptGC": False,
    # It would name the address of this machine's network, which Streamlit asks another server for.
    "logger.hideWelcomeMessage": True,
    "logger.level": "warning",
    # A slider of two ends is one by its default, and has the value of the address.
    "global.disableWidgetStateDuplicationWarning": True,
    # Fonts and colours are those of the report. Streamlit fades captions to 60 % of the text's colour, which has to be
    # dark enough for that.
    "theme.font": 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif',
    "theme.codeFont": 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace',
    "theme.light.primaryColor": "#0072B2",
    "theme.light.backgroundColor": "#ffffff",
    "theme.light.secondaryBackgroundColor": "#f6f8f9",
    "theme.light.textColor": "#0f1419",
    "theme.light.linkColor": "#0b5fa5",
    "theme.dark.primaryColor": "#56B4E9",
    "theme.dark.backgroundColor": "#101418",
    "theme.dark.secondaryBackgroundColor": "#181e24",
    "theme.dark.textColor": "#e3e8ec",
    "theme.dark.linkColor": "#7ab8f0",
}
"""Streamlit's options: no usage statistics, hardly any uploads, and no stack traces for readers."""


@dataclass(frozen=True)
class Place:
    """Where a server is. base_path: `/path` in front of all its pages, or nothing. allowed: as in `Gate`. tokens:
    whether every request needs a token, as where others than this machine's programs reach it.
    """

    host: str
    port: int
    base_path: str = ""
    allowed: Sequence[str] = ()
    tokens: bool = False


def run(place: Place, limits: Limits | None) -> None:
    """Serve the dashboard until the process is told to end. limits: of the API beside it; None for the pages alone."""
    _only_our_options()
    routes: list[BaseRoute] = []
    middleware = [Middleware(Gate, host=place.host, allowed=tuple(place.allowed))]
    url = database_url(None)
    if limits is not None or place.tokens:
        # Only the service makes a ledger where there is none.
        ledger = Ledger(url, create=limits is not None)
        visitors = Visitors(ledger.tokens, open=not place.tokens)
        if limits is not None:
            from cooldown.search.service.api import api

            service = Service(ledger, url, limits)
            routes.append(Mount(f"{place.base_path}/api", api(service)))
            acting.offer(acting.Offered(service, visitors))
            log_to_stderr()
            if limits.webhooks:
                Deliverer(ledger).start()
            middleware.append(Middleware(RequestLog, requests=service.requests))
        middleware.append(Middleware(Access, visitors=visitors, base_path=place.base_path))
    app = st.App(Path(__file__).with_name("app.py"), routes=routes, middleware=middleware)
    uploads = {} if limits is None else {"server.maxUploadSize": max(limits.dataset // MB, 1)}
    at = {"server.address": place.host, "server.port": place.port, "server.baseUrlPath": place.base_path}
    app.run(config={**OPTIONS, **uploads, **at})


def _only_our_options() -> None:
    """Let Streamlit read no settings from the environment, the working folder or the home: they could make it listen
    elsewhere, answer other sites or let agents in. It has no option for this.
    """
    st.config.get_config_files = _no_files
    for name in [name for name in os.environ if name.startswith("STREAMLIT_")]:
        del os.environ[name]


def _no_files(file_name: str) -> list[str]:  # noqa: ARG001
    """In place of Streamlit's function that says where its settings and secrets may be."""
    return []
