"""Arguments of neutral commands, checked against what is known of the charger: rules that the versions share."""

from typing import Any

from gateway.core.errors import CommandInvalid
from gateway.core.reports import ActiveTransaction
from gateway.ocpp.profile import Notes, Station
from gateway.ocpp.timestamps import read_timestamp


def one_transaction(arguments: dict[str, Any], station: Station, command: str) -> ActiveTransaction:
    """The one running transaction that a command means: by its id or the charger's, by its EVSE, or the only one.

    Raises CommandInvalid, saying which run, where there is none or more than one.
    """
    wanted, evse_id = arguments["transaction_id"], arguments["evse_id"]
    found = [
        running
        for running in station.transactions
        if (wanted is None or wanted in (running.id, running.ocpp_transaction_id))
        and (evse_id is None or evse_id == running.evse_id)
    ]
    # A public id is unique; another charger-given id may happen to spell the same.
    found = [running for running in found if running.id == wanted] or found
    if len(found) == 1:
        return found[0]
    running_now = "; ".join(
        f"{running.id} (the charger's {running.ocpp_transaction_id}) on EVSE {running.evse_id}"
        for running in station.transactions
    )
    if not running_now:
        raise CommandInvalid(f"{command}: no transaction runs")
    which = "no such transaction runs" if not found else "more than one transaction fits, so name one"
    raise CommandInvalid(f"{command}: {which}; running: {running_now}")


def running_on(evse_id: int, station: Station) -> ActiveTransaction | None:
    """The transaction that runs on an EVSE."""
    return next((running for running in station.transactions if running.evse_id == evse_id), None)


def evse_to_pause(arguments: dict[str, Any], station: Station, command: str) -> int:
    """The EVSE that is meant: by a transaction, by its id, that of the only transaction, or the only one there is.

    Raises CommandInvalid where that leaves a choice.
    """
    evse_id: int | None = arguments["evse_id"]
    if arguments["transaction_id"] is None:
        if evse_id is not None:
            return evse_id
        if not station.transactions:
            return _only_evse(station, command)
    return one_transaction(arguments, station, command).evse_id or _only_evse(station, command)


def _only_evse(station: Station, command: str) -> int:
    if len(station.evse_ids) == 1:
        return station.evse_ids[0]
    told = ", ".join(str(evse_id) for evse_id in station.evse_ids) or "none has reported yet"
    raise CommandInvalid(f"{command}: name the evse_id; EVSEs: {told}")


def one_connector(arguments: dict[str, Any], command: str) -> tuple[int, int]:
    """EVSE and connector of a command that needs one connector. Raises CommandInvalid for 0."""
    evse_id, connector_id = arguments["evse_id"], arguments["connector_id"]
    if not evse_id or not connector_id:
        raise CommandInvalid(f"{command}: evse_id and connector_id count from 1")
    return evse_id, connector_id


def is_signed(arguments: dict[str, Any]) -> bool:
    """Whether update_firmware is of a signed firmware: both or neither of signature and certificate are given.

    OCPP 1.6 security extension, section 4.3; 2.x part 2, L01.FR.11. Raises CommandInvalid.
    """
    signature, certificate = arguments["signature"], arguments["signing_certificate"]
    if (signature is None) != (certificate is None):
        raise CommandInvalid("update_firmware: a signed firmware needs signature and signing_certificate")
    return signature is not None


def at_most(text: str, length: int, what: str) -> str:
    """The text. Raises CommandInvalid where it is longer than OCPP allows."""
    if len(text) > length:
        raise CommandInvalid(f"{what} has {len(text)} characters, OCPP allows {length}")
    return text


def moment(value: str, what: str) -> str:
    """A time as OCPP has it: UTC with milliseconds. Raises CommandInvalid where it is none, or has no zone."""
    found = read_timestamp(value, Notes(), ())
    if found is None:
        raise CommandInvalid(f"{what} must be an RFC 3339 timestamp with a zone, not {value!r}")
    return found
