"""Where a server can be reached from."""

import ipaddress
from collections.abc import Collection

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")
"""Addresses at which a server listens on all networks of its machine."""


def only_this_machine(host: str, allowed: Collection[str]) -> bool:
    """Whether a server at `host` is reached by this machine's own programs alone. allowed: further names by which
    readers call it, such as that of a proxy, through which others come.
    """
    if allowed:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in LOOPBACK
