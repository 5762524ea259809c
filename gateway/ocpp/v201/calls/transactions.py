"""Starting and stopping transactions, and what is said of one that runs; OCPP 2.1 does the same."""

from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid
from gateway.ocpp.arguments import one_transaction
from gateway.ocpp.charging_profiles import profile_of_start
from gateway.ocpp.endings import ending, status_result
from gateway.ocpp.fields import boolean
from gateway.ocpp.profile import Answered, Call, Ending, Notes, Station
from gateway.ocpp.v201.calls.shapes import V201, Arguments, Dialect, group_token, id_token, transaction_id


def start(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use cases F01 and F02; with a charging profile K05."""
    remote_start_id, evse_id = arguments["remote_start_id"], arguments["evse_id"]
    payload: dict[str, Any] = {
        "idToken": id_token(arguments["token"], arguments["token_type"], dialect, "start"),
        "remoteStartId": station.next_id() if remote_start_id is None else remote_start_id,
    }
    if evse_id is not None:
        if evse_id == 0:
            raise CommandInvalid("start: evse_id counts from 1")
        payload["evseId"] = evse_id
    if arguments["group"] is not None:
        payload["groupIdToken"] = group_token(arguments["group"], dialect, "start")
    return [Call("RequestStartTransaction", payload | profile_of_start(arguments, dialect.version))]


def started(calls: list[Call], answers: list[Answered]) -> Ending:
    """The answer bears a transaction id where one was already running (F02.FR.05)."""
    payload = answers[0].payload
    return ending(
        payload,
        {
            **status_result(payload),
            "remote_start_id": calls[0].payload["remoteStartId"],
            "ocpp_transaction_id": payload.get("transactionId"),
        },
    )


def stop(arguments: Arguments, station: Station) -> list[Call]:
    """Use case F03."""
    transaction = one_transaction(arguments, station, "stop")
    return [Call("RequestStopTransaction", {"transactionId": transaction.ocpp_transaction_id})]


def get_transaction_status(arguments: Arguments, station: Station) -> list[Call]:
    """Use case E14."""
    wanted = arguments["transaction_id"]
    payload = {} if wanted is None else {"transactionId": transaction_id(wanted, station, "get_transaction_status")}
    return [Call("GetTransactionStatus", payload)]


def got_transaction_status(calls: list[Call], answers: list[Answered]) -> Ending:
    """Whether it runs is told only where one was named (E14.FR.01 to FR.06)."""
    payload, notes = answers[0].payload, Notes()
    result = {
        "ocpp_transaction_id": calls[0].payload.get("transactionId"),
        "ongoing": boolean(payload, "ongoingIndicator", notes),
        "messages_in_queue": boolean(payload, "messagesInQueue", notes),
    }
    return Ending(Outcome.ACCEPTED, None, result)


def update_cost(arguments: Arguments, station: Station) -> list[Call]:
    """Use case I02."""
    transaction = one_transaction(arguments, station, "update_cost")
    payload = {"totalCost": arguments["total_cost"], "transactionId": transaction.ocpp_transaction_id}
    return [Call("CostUpdated", payload)]
