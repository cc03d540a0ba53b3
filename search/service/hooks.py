"""What callers can do about webhooks: register, list and delete them."""

from collections.abc import Sequence
from http import HTTPStatus

from cooldown.search.service.access.principal import Principal
from cooldown.search.service.actions import must
from cooldown.search.service.outgoing import checked
from cooldown.search.service.refused import RefusedError
from cooldown.search.service.service import Service
from cooldown.storage.acts import acting
from cooldown.storage.tokens import Role
from cooldown.storage.webhooks import Webhook


def register(service: Service, who: Principal, url: str, *, every: bool = False) -> Webhook:
    """Have an address told when an experiment of the caller's ends, or with `every`, for an admin, anybody's.

    Raises RefusedError where the service sends nothing, and InputError for what is no address that it may send to.
    """
    must(who, Role.ADMIN if every else Role.SUBMIT)
    if not service.limits.webhooks:
        raise RefusedError(HTTPStatus.FORBIDDEN, "this service sends no webhooks; `cooldown serve --webhooks` does")
    checked(url)
    with acting(who.shown):
        return service.ledger.webhooks.add(who.name, url, every=every)


def registered(service: Service, who: Principal) -> Sequence[Webhook]:
    """The caller's webhooks, to an admin everybody's."""
    must(who, Role.SUBMIT)
    return service.ledger.webhooks.list(None if who.role is Role.ADMIN else who.name)


def unregister(service: Service, who: Principal, id: int) -> None:
    """Delete a webhook of the caller's, for an admin anybody's; raises RefusedError for any other."""
    if id not in [webhook.id for webhook in registered(service, who)]:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"you have no webhook {id}")
    with acting(who.shown):
        service.ledger.webhooks.remove(id)
