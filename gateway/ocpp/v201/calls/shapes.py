"""Shapes that recur in the calls of OCPP 2.x, and what differs between 2.0.1 and 2.1 in calls otherwise the same."""

from dataclasses import dataclass
from typing import Any

from gateway.core.errors import CommandInvalid
from gateway.ocpp.arguments import at_most
from gateway.ocpp.profile import Station
from gateway.ocpp.standard_variables import by_key

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dialect:
    """A version of OCPP 2 and the most characters that its fields take; None for `token_types`: free text."""

    version: str
    token_length: int
    token_types: tuple[str, ...] | None
    url_length: int
    value_length: int
    certificate_length: int
    text_length: int
    user_length: int
    password_length: int
    connector_types: tuple[str, ...] | None


V201 = Dialect(
    version="2.0.1",
    token_length=36,
    # IdTokenEnumType
    token_types=("Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization"),
    url_length=512,
    value_length=1000,
    certificate_length=5500,
    text_length=512,
    user_length=20,
    password_length=20,
    # ConnectorEnumType
    connector_types=(
        *("cCCS1", "cCCS2", "cG105", "cTesla", "cType1", "cType2"),
        *("s309-1P-16A", "s309-1P-32A", "s309-3P-16A", "s309-3P-32A", "sBS1361", "sCEE-7-7", "sType2", "sType3"),
        *("Other1PhMax16A", "Other1PhOver16A", "Other3Ph", "Pan", "wInductive", "wResonant", "Undetermined", "Unknown"),
    ),
)

TOKEN_TYPE_LENGTH = 20
"""A token type of OCPP 2.1 is free text of at most this length."""


def id_token(token: str, token_type: str, dialect: Dialect, what: str) -> dict[str, Any]:
    """IdTokenType. Raises CommandInvalid where the version has no such type, or not that many characters."""
    if dialect.token_types is None:
        at_most(token_type, TOKEN_TYPE_LENGTH, f"{what}: token_type")
    elif token_type not in dialect.token_types:
        raise CommandInvalid(f"{what}: token_type must be one of {', '.join(dialect.token_types)}")
    return {"idToken": at_most(token, dialect.token_length, f"{what}: the token"), "type": token_type}


def group_token(token: str, dialect: Dialect, what: str) -> dict[str, Any]:
    """IdTokenType of a group, which nobody presents: only the CSMS knows it."""
    return id_token(token, "Central", dialect, what)


def evse(arguments: Arguments) -> dict[str, Any]:
    """An `evse` field; nothing for the whole charging station."""
    if not arguments["evse_id"]:
        return {}
    found = {"id": arguments["evse_id"]}
    if arguments["connector_id"]:
        found["connectorId"] = arguments["connector_id"]
    return {"evse": found}


def component_variable(reference: Arguments, command: str) -> dict[str, Any]:
    """The `component` and `variable` fields of a neutral reference; a standard key of OCPP 1.6 will do.

    The variable is left out where none is named. Raises CommandInvalid where no component is known.
    """
    component, variable = reference["component"], reference["variable"]
    variable_instance = reference["variable_instance"]
    if not component:
        standard = by_key(variable or "")
        if standard is None:
            raise CommandInvalid(
                f"{command}: OCPP 2.x keeps variables in components, so name the component of "
                f"{variable!r} (HeartbeatInterval, for one, is in OCPPCommCtrlr)"
            )
        component, variable = standard.component, standard.variable
        variable_instance = variable_instance or standard.instance
    found = {"component": named(component, reference["component_instance"], command) | evse(reference)}
    return found | ({"variable": named(variable, variable_instance, command)} if variable else {})


def named(name: str, instance: str | None, command: str) -> dict[str, Any]:
    """The `name` and `instance` of a component or a variable."""
    found = {"name": at_most(name, 50, f"{command}: {name!r}")}
    return found | {"instance": at_most(instance, 50, f"{command}: {instance!r}")} if instance else found


def transaction_id(wanted: str, station: Station, what: str) -> str:
    """The charger's own id of a transaction that is named by it, or by the gateway's where it runs."""
    running = next((running for running in station.transactions if running.id == wanted), None)
    return at_most(wanted if running is None else running.ocpp_transaction_id, 36, f"{what}: transaction_id")


def given(**fields: Any) -> dict[str, Any]:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}
