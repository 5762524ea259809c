"""Starting and stopping transactions."""

from typing import Any

from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.core.reports import ActiveTransaction
from gateway.ocpp.arguments import at_most, one_transaction
from gateway.ocpp.charging_profiles import profile_of_start
from gateway.ocpp.endings import ending, status_result
from gateway.ocpp.profile import Answered, Call, Ending, Station

Arguments = dict[str, Any]


def start(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.11; with a charging profile section 5.16.2."""
    for name in ("remote_start_id", "group"):
        if arguments[name] is not None:
            raise CommandUnsupported(f"start: OCPP 1.6 has no {name}; versions that have: 2.0.1, 2.1")
    longest = station.quirks.id_tag_length
    payload: dict[str, Any] = {"idTag": at_most(arguments["token"], longest, "start: the token")}
    if arguments["evse_id"] is not None:
        if arguments["evse_id"] == 0:
            raise CommandInvalid("start: evse_id counts from 1")
        payload["connectorId"] = arguments["evse_id"]
    return [Call("RemoteStartTransaction", payload | profile_of_start(arguments, "1.6"))]


def started(calls: list[Call], answers: list[Answered]) -> Ending:
    """As told on OCPP 2.x, whose two ids 1.6 has not."""
    payload = answers[0].payload
    return ending(payload, {**status_result(payload), "remote_start_id": None, "ocpp_transaction_id": None})


def stop(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.12."""
    transaction = one_transaction(arguments, station, "stop")
    number = transaction_number(transaction)
    if number is None:
        raise CommandInvalid(f"stop: {transaction.ocpp_transaction_id!r} is no OCPP 1.6 transaction id")
    return [Call("RemoteStopTransaction", {"transactionId": number})]


def transaction_number(transaction: ActiveTransaction) -> int | None:
    """The transaction's id as OCPP 1.6 writes it; None where it is no number."""
    try:
        return int(transaction.ocpp_transaction_id)
    except ValueError:
        return None
