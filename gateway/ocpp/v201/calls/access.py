"""Who may charge where: reservations, the local authorization list, the cache, and what is kept of customers."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid
from gateway.ocpp.arguments import moment
from gateway.ocpp.certificates import hash_data
from gateway.ocpp.endings import ending, status_result
from gateway.ocpp.fields import integer
from gateway.ocpp.local_list import Entry, ListDialect, ListLimits, sending, tokens_to_send
from gateway.ocpp.profile import Answered, Call, Dialogue, Ending, Notes, Refused, Station
from gateway.ocpp.v201.calls.shapes import V201, Arguments, Dialect, given, group_token, id_token
from gateway.ocpp.v201.portions import BYTES, station_limit
from gateway.ocpp.v201.replies import AUTHORIZATION_STATUS


def reserve(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use cases H01 and H03."""
    reservation_id, connector_type, group = (arguments[name] for name in ("reservation_id", "connector_type", "group"))
    types = dialect.connector_types
    if connector_type is not None and types is not None and connector_type not in types:
        raise CommandInvalid(f"reserve: connector_type must be one of {', '.join(types)}")
    return [
        Call(
            "ReserveNow",
            {
                "id": station.next_id() if reservation_id is None else reservation_id,
                "expiryDateTime": moment(arguments["until"], "reserve: until"),
                "idToken": id_token(arguments["token"], arguments["token_type"], dialect, "reserve"),
                **given(
                    evseId=arguments["evse_id"] or None,
                    connectorType=connector_type,
                    groupIdToken=None if group is None else group_token(group, dialect, "reserve: group"),
                ),
            },
        )
    ]


def cancel_reservation(arguments: Arguments, station: Station) -> list[Call]:
    """Use case H02."""
    return [Call("CancelReservation", {"reservationId": arguments["reservation_id"]})]


def send_local_list(arguments: Arguments, station: Station, dialect: Dialect = V201) -> Dialogue:
    """Use case D01."""
    entries = [_listed(token, dialect) for token in tokens_to_send(arguments)]
    return sending(_LIST, arguments["version"], entries, full=arguments["update"] == "full")


def _part_of_list(version: int, kind: str, entries: list[Entry]) -> Call:
    """A list without tokens is left out, which empties the charger's (D01.FR.04)."""
    return Call(
        "SendLocalList",
        {"versionNumber": version, "updateType": kind, **({"localAuthorizationList": entries} if entries else {})},
    )


def _limits_of_list() -> Generator[Call, Answered | Refused, ListLimits]:
    most = yield from station_limit("LocalAuthListCtrlr")
    longest = yield from station_limit("LocalAuthListCtrlr", name=BYTES)
    return ListLimits(most, longest)


_LIST = ListDialect(_part_of_list, "versionNumber", _limits_of_list)


def get_local_list_version(arguments: Arguments, station: Station) -> list[Call]:
    """Use case D02."""
    return [Call("GetLocalListVersion", {})]


def got_local_list_version(calls: list[Call], answers: list[Answered]) -> Ending:
    version = integer(answers[0].payload, "versionNumber", Notes())
    if version is None:
        return Ending(Outcome.ERROR, "the answer has no version", {"version": None})
    return Ending(Outcome.ACCEPTED, None, {"version": version})


def clear_cache(arguments: Arguments, station: Station) -> list[Call]:
    """Use case C11."""
    return [Call("ClearCache", {})]


def customer_information(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use cases N09 (report) and N10 (clear)."""
    token, certificate = arguments["token"], arguments["customer_certificate"]
    named = given(
        idToken=None if token is None else id_token(token, arguments["token_type"], dialect, "customer_information"),
        customerIdentifier=arguments["customer_identifier"],
        customerCertificate=None if certificate is None else hash_data(certificate),
    )
    if len(named) != 1:
        raise CommandInvalid(
            "customer_information: name the customer by token, customer_identifier or customer_certificate"
        )
    if not arguments["report"] and not arguments["clear"]:
        raise CommandInvalid("customer_information: nothing is wanted; set report or clear")
    wanted = {"report": arguments["report"], "clear": arguments["clear"]}
    return [Call("CustomerInformation", {"requestId": station.next_id(), **wanted, **named})]


def customer_promised(calls: list[Call], answers: list[Answered]) -> Ending:
    """Whether a report will come; where nothing but forgetting was asked for, the yes is the end."""
    payload, asked = answers[0].payload, calls[0].payload
    found = ending(payload, {**status_result(payload), "request_id": asked["requestId"]})
    return replace(found, final=not asked["report"])


def customer_reported(yes: Ending, calls: Sequence[Call], data: Mapping[str, Any]) -> Ending | None:
    """The whole report as one text."""
    if data.get("request_id") != calls[0].payload["requestId"] or not data.get("complete"):
        return None
    pieces = data.get("pieces")
    written = "".join(str(piece) for piece in pieces) if isinstance(pieces, list) else data.get("data")
    return replace(yes, result={**(yes.result or {}), "data": written})


def _listed(token: Arguments, dialect: Dialect) -> dict[str, Any]:
    """AuthorizationData; without idTokenInfo it takes the token off the list."""
    found = {"idToken": id_token(token["token"], token["token_type"], dialect, "send_local_list")}
    if token["remove"]:
        return found
    expires_at, group, message = token["expires_at"], token["group"], token["personal_message"]
    info = {
        "status": AUTHORIZATION_STATUS[token["status"]],
        **given(
            cacheExpiryDateTime=None if expires_at is None else moment(expires_at, "send_local_list: expires_at"),
            chargingPriority=token["charging_priority"],
            language1=token["language"],
            evseId=token["evse_ids"] or None,
            groupIdToken=None if group is None else group_token(group, dialect, "send_local_list: group"),
            personalMessage=None if message is None else _text(message, token["language"]),
        ),
    }
    return found | {"idTokenInfo": info}


def _text(content: str, language: str | None) -> dict[str, Any]:
    return {"format": "UTF8", "content": content, **given(language=language)}
