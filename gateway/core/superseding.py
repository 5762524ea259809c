"""Which command takes the place of one that still waits: one of the same name about the same thing, where only the
latest word counts."""

from collections.abc import Mapping
from json import dumps
from typing import Any

SUPERSEDED_BY_NEWER: Mapping[str, tuple[str, ...]] = {
    # command → the arguments that say what it is about
    "set_availability": ("evse_id", "connector_id"),
    "set_charging_limit": ("evse_id",),
    "clear_charging_limit": ("evse_id",),
    "set_variables": ("variables",),
    "set_default_tariff": ("evse_id",),
    "set_monitoring_base": (),
    "set_monitoring_level": (),
    "set_network_profile": ("slot",),
    "update_cost": ("transaction_id", "evse_id"),
    "update_dynamic_schedule": ("profile_id",),
}
"""What sets a state. What is an act of its own (start, stop, reset, unlock, reserve ...) is never superseded."""

REASON = "a newer command of the same kind took its place while it waited"


def kind_of(name: str, arguments: Mapping[str, Any]) -> str | None:
    """What a command is about: a newer one of the same kind takes its place. None where none may."""
    target = SUPERSEDED_BY_NEWER.get(name)
    if target is None:
        return None
    about = [_without_values(arguments.get(argument)) for argument in target]
    return f"{name} {dumps(about, sort_keys=True)}"


def _without_values(about: Any) -> Any:
    """Variables are the same whatever they shall be set to, and in whatever order."""
    if not isinstance(about, list):
        return about
    named = [{field: told for field, told in one.items() if field != "value"} for one in about]
    return sorted(named, key=lambda one: dumps(one, sort_keys=True))
