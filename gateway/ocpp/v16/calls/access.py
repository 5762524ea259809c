"""Who may charge where: reservations, the local authorization list, the cache."""

from collections.abc import Generator
from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandUnsupported
from gateway.ocpp.arguments import at_most, moment
from gateway.ocpp.fields import integer
from gateway.ocpp.local_list import Entry, ListDialect, ListLimits, sending, tokens_to_send
from gateway.ocpp.profile import Answered, Call, Dialogue, Ending, Notes, Refused, Station
from gateway.ocpp.v16.calls.variables import charger_limit
from gateway.ocpp.v16.replies import AUTHORIZATION_STATUS

Arguments = dict[str, Any]

NOT_SUPPORTED = -1
"""The list version of a charger that keeps no list (section 5.10)."""


def reserve(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.13. Connector 0 is whichever is free."""
    if arguments["connector_type"] is not None:
        raise CommandUnsupported("reserve: OCPP 1.6 knows no connector types; versions that do: 2.0.1, 2.1")
    reservation_id = arguments["reservation_id"]
    payload: dict[str, Any] = {
        "connectorId": arguments["evse_id"] or 0,
        "expiryDate": moment(arguments["until"], "reserve: until"),
        "idTag": _id_tag(arguments["token"], station, "reserve: the token"),
        "reservationId": station.next_id() if reservation_id is None else reservation_id,
    }
    if arguments["group"] is not None:
        payload["parentIdTag"] = _id_tag(arguments["group"], station, "reserve: the group")
    return [Call("ReserveNow", payload)]


def cancel_reservation(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.1."""
    return [Call("CancelReservation", {"reservationId": arguments["reservation_id"]})]


def send_local_list(arguments: Arguments, station: Station) -> Dialogue:
    """Section 5.15. A token without idTagInfo is taken off the list."""
    entries = [_listed(token, station) for token in tokens_to_send(arguments)]
    return sending(_LIST, arguments["version"], entries, full=arguments["update"] == "full")


def _part_of_list(version: int, kind: str, entries: list[Entry]) -> Call:
    return Call("SendLocalList", {"listVersion": version, "updateType": kind, "localAuthorizationList": entries})


def _limits_of_list() -> Generator[Call, Answered | Refused, ListLimits]:
    return ListLimits((yield from charger_limit("SendLocalListMaxLength")))


_LIST = ListDialect(_part_of_list, "listVersion", _limits_of_list)


def get_local_list_version(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.10."""
    return [Call("GetLocalListVersion", {})]


def got_local_list_version(calls: list[Call], answers: list[Answered]) -> Ending:
    version = integer(answers[0].payload, "listVersion", Notes())
    if version is None:
        return Ending(Outcome.ERROR, "the answer has no version", {"version": None})
    if version == NOT_SUPPORTED:
        return Ending(Outcome.REJECTED, "NotSupported", {"version": version})
    return Ending(Outcome.ACCEPTED, None, {"version": version})


def clear_cache(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.4."""
    return [Call("ClearCache", {})]


def _listed(token: Arguments, station: Station) -> dict[str, Any]:
    found: dict[str, Any] = {"idTag": _id_tag(token["token"], station, "send_local_list: a token")}
    if token["remove"]:
        return found
    info = {"status": AUTHORIZATION_STATUS.get(token["status"], "Invalid")}
    if token["expires_at"] is not None:
        info["expiryDate"] = moment(token["expires_at"], "send_local_list: expires_at")
    if token["group"] is not None:
        info["parentIdTag"] = _id_tag(token["group"], station, "send_local_list: a group")
    return found | {"idTagInfo": info}


def _id_tag(token: str, station: Station, what: str) -> str:
    return at_most(token, station.quirks.id_tag_length, what)
