"""Names that Home Assistant takes, and that no two chargers share."""

import hashlib
import re

from gateway.core.identity import ChargerId

CONNECTOR_MARK = "--"
_ODD_IN_TOPIC = re.compile(r"[^A-Za-z0-9_-]")
"""What may not stand in the object id of a discovery topic."""
_MARKED = re.compile(r"_[0-9a-f]{8}$")
_ODD_IN_ENTITY = re.compile(r"[^a-z0-9]+")


def object_id(charger: ChargerId, prefix: str) -> str:
    """The charger's name in discovery topics and unique ids: its identity as far as that can be spelt there.

    Where it cannot (`a/b` is not `a_b`), where it might be taken for a connector's or for a marked one, in a tenant,
    and with another prefix than `ocpp`, which makes another gateway, it bears a mark of its own.
    """
    known = charger.identity
    plain = _ODD_IN_TOPIC.sub("_", known)
    may_be_taken = CONNECTOR_MARK in known or _MARKED.search(known) is not None
    if plain == known and not may_be_taken and not charger.tenant and prefix == "ocpp":
        return f"ocpp_{plain}"
    whole = "\x00".join((prefix, charger.tenant, known))
    mark = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"ocpp_{plain.replace(CONNECTOR_MARK, '_')}_{mark}"


def connector_object_id(charger: str, evse_id: int, connector_id: int) -> str:
    """The same of a connector that is a device of its own, from the charger's."""
    return f"{charger}{CONNECTOR_MARK}{evse_id}-{connector_id}"


def entity_slug(name: str) -> str:
    """A name as the beginning of entity ids; Home Assistant numbers those that are taken."""
    return _ODD_IN_ENTITY.sub("_", name.lower()).strip("_") or "charger"
