"""`post`: a request to an address that a caller has named, which reaches nothing but public addresses.

The name is resolved once, and every address of it has to be public; the connection is made to one of these, so that a
name which means something else a moment later makes no difference. Redirects are not followed, no proxy is asked, and
of the answer nothing is read but its head, within a time that includes everything.
"""

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection

from cooldown.objectives.errors import InputError

LONGEST = 2000
"""Characters of an address."""

SECONDS = 15.0
"""For everything, from the connection to the head of the answer."""

TRANSLATED = IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48")
"""Networks whose addresses end with one of IPv4, to which they are translated."""


class UndeliverableError(Exception):
    """A request that could not be made, with the reason."""


def checked(url: str) -> SplitResult:
    """The parts of an address; raises InputError for what is none that can be told of something."""
    told = f"url: should be an address such as https://example.org/ended, got {url!r:.80}"
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        raise InputError(told) from None
    visible = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST
    if not good or not visible or "@" in parts.netloc or parts.fragment:
        raise InputError(told)
    host = str(parts.hostname)
    if _is_address(host) and not is_public(host):
        # A name is looked at when it is resolved.
        raise InputError(f"url: should not be an address within a network, got {host}")
    return parts


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether an address of the internet protocol is public, and so is one of IPv4 that it stands for."""
    found = ip_address(address.partition("%")[0])
    meant: list[IPv4Address | IPv6Address] = [found]
    if isinstance(found, IPv6Address):
        inner = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
        inner += [IPv4Address(int(found) & 0xFFFFFFFF)] if any(found in network for network in TRANSLATED) else []
        meant += [each for each in inner if each is not None]
    return all(each.is_global and not each.is_multicast and not each.is_reserved for each in meant)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float = SECONDS,
    allowed: Callable[[str], bool] = is_public,
) -> int:
    """Send a body, and return the status of the answer.

    seconds: for everything but the resolution of the name. allowed: which addresses may be reached. Raises
    UndeliverableError where it cannot be sent, or there is no answer.
    """
    try:
        parts = checked(url)
        host, secure = str(parts.hostname), parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        addresses = [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except InputError as error:
        raise UndeliverableError(str(error)) from None
    except (OSError, UnicodeError):
        addresses = []
    if not addresses or not all(map(allowed, addresses)):
        # Which of both is no matter of others: names within a network may be known to this machine alone.
        raise UndeliverableError("its name is unknown, or that of an address within a network")
    connection = (
        HTTPSConnection(addresses[0], port, timeout=seconds, server_hostname=host, assert_hostname=host)
        if secure
        else HTTPConnection(addresses[0], port, timeout=seconds)
    )

    def end() -> None:
        # A receiver that sends a byte now and then would never be silent for long.
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    limit = threading.Timer(seconds, end)
    limit.daemon = True
    limit.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, {**headers, "Host": parts.netloc}, preload_content=False)
        return connection.getresponse().status
    except Exception as error:
        raise UndeliverableError(f"no answer: {type(error).__name__}") from None
    finally:
        limit.cancel()
        connection.close()
