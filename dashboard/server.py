"""The server: Streamlit's, with our settings and no others, behind the gate."""

import os
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from cooldown.dashboard.gate import Gate

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
    # It would name the address of this machine's network, which Streamlit asks another server for.
    "logger.hideWelcomeMessage": True,
    "logger.level": "warning",
    "theme.light.primaryColor": "#0072B2",
    "theme.dark.primaryColor": "#56B4E9",
}
"""Streamlit's options: no usage statistics, no uploads, and no stack traces for readers."""


def run(host: str, port: int, base_path: str, allowed: Sequence[str]) -> None:
    """Serve the dashboard at host:port until the process is told to end. base_path: `/path` in front of all its pages,
    or nothing. allowed: as in `Gate`.
    """
    _only_our_options()
    app = st.App(Path(__file__).with_name("app.py"), middleware=[Middleware(Gate, host=host, allowed=tuple(allowed))])
    place = {"server.address": host, "server.port": port, "server.baseUrlPath": base_path}
    app.run(config={**OPTIONS, **place})


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
