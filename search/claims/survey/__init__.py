"""The catalog of claims: one file each. `every()` lists them in the survey's order, `get(id)` returns one."""

from cooldown.objectives.catalog import Catalog, unknown_name
from cooldown.search.claims.entry import Claim

_catalog = Catalog(__name__, __path__, Claim, "claim")


def every() -> list[Claim]:
    """All claims, in the survey's order: that of their files' names."""
    return [_catalog.get(name) for name in _catalog.names()]


def get(id: str) -> Claim:
    """The claim called `id`, in upper or lower case; raises UnknownNameError with the nearest match."""
    claims = {claim.id.lower(): claim for claim in every()}
    if str(id).lower() in claims:
        return claims[str(id).lower()]
    raise unknown_name("claim", id, [claim.id for claim in claims.values()])
