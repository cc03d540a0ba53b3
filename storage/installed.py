"""The installed packages that Cooldown needs, with theirs: the versions with which an experiment can be repeated."""

from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DEVELOPMENT = "test"
"""The extra whose packages take no part in an experiment."""


@cache
def installed_packages(root: str = "cooldown") -> dict[str, str]:
    """The version of each installed package that `root` needs, with all of its extras but that of its development, and
    of each that one of these needs: by name, in alphabetical order, without `root` itself. {} where it is not installed
    but only imported.
    """
    versions: dict[str, str] = {}
    try:
        open_ = _needed(distribution(root), _extras(distribution(root)))
    except PackageNotFoundError:
        return {}
    seen: set[tuple[str, frozenset[str]]] = set()
    while open_:
        requirement = open_.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, extras) in seen or name == root:
            continue
        seen.add((name, extras))
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        versions[name] = found.version
        open_ += _needed(found, extras)
    return dict(sorted(versions.items()))


def _extras(package: Distribution) -> frozenset[str]:
    return frozenset(package.metadata.get_all("Provides-Extra") or ()) - {DEVELOPMENT}


def _needed(package: Distribution, extras: frozenset[str]) -> list[Requirement]:
    """What a package requires on this machine, with some of its extras."""
    requirements = [Requirement(text) for text in package.requires or ()]
    return [
        each
        for each in requirements
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras or ("",))
    ]
