"""Energy both ways, battery swap, event streams and payment on the web."""

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid
from gateway.ocpp.arguments import moment, one_transaction
from gateway.ocpp.endings import items
from gateway.ocpp.fields import integer
from gateway.ocpp.profile import Answered, Call, Ending, Notes, Station
from gateway.ocpp.shapes import Shape, one, read
from gateway.ocpp.v21.calls.shapes import V21
from gateway.ocpp.v201.calls.shapes import Arguments, id_token
from gateway.ocpp.writing import words_of

_ENERGY_TRANSFERS = words_of(
    "AC_single_phase",
    "AC_two_phase",
    "AC_three_phase",
    "DC",
    "AC_BPT",
    "AC_BPT_DER",
    "AC_DER",
    "DC_BPT",
    "DC_ACDP",
    "DC_ACDP_BPT",
    "WPT",
)

_STREAM_TERMS: Shape = {"interval": ("interval_s", integer), "values": ("values", integer)}


def set_allowed_energy_transfer(arguments: Arguments, station: Station) -> list[Call]:
    """Use case Q01."""
    transaction = one_transaction(arguments, station, "set_allowed_energy_transfer")
    allowed = [_ENERGY_TRANSFERS[name] for name in dict.fromkeys(arguments["energy_transfers"])]
    asked = {"transactionId": transaction.ocpp_transaction_id, "allowedEnergyTransfer": allowed}
    return [Call("NotifyAllowedEnergyTransfer", asked)]


def send_afrr_signal(arguments: Arguments, station: Station) -> list[Call]:
    """Use case Q05."""
    at = station.now if arguments["at"] is None else moment(arguments["at"], "send_afrr_signal: at")
    return [Call("AFRRSignal", {"timestamp": at, "signal": arguments["signal"]})]


def request_battery_swap(arguments: Arguments, station: Station) -> list[Call]:
    """Use case S03."""
    token = id_token(arguments["token"], arguments["token_type"], V21, "request_battery_swap")
    request_id = station.next_id() if arguments["request_id"] is None else arguments["request_id"]
    return [Call("RequestBatterySwap", {"idToken": token, "requestId": request_id})]


def adjust_event_stream(arguments: Arguments, station: Station) -> list[Call]:
    """Use case N14."""
    terms = {"interval": arguments["interval_s"], "values": arguments["values"]}
    given = {name: value for name, value in terms.items() if value is not None}
    if not given:
        raise CommandInvalid("adjust_event_stream: give interval_s or values")
    return [Call("AdjustPeriodicEventStream", {"id": arguments["stream_id"], "params": given})]


def get_event_streams(arguments: Arguments, station: Station) -> list[Call]:
    """Use case N13."""
    return [Call("GetPeriodicEventStream", {})]


def got_event_streams(calls: list[Call], answers: list[Answered]) -> Ending:
    """The streams, under the names of `ocpp.stream.opened`; there may be none."""
    notes = Notes()
    streams = [
        {
            "stream_id": integer(stream, "id", notes),
            "monitoring_id": integer(stream, "variableMonitoringId", notes),
            **(one(_STREAM_TERMS)(stream, "params", notes, ()) or read({}, _STREAM_TERMS, notes)),
        }
        for stream in items(answers, "constantStreamData")
    ]
    return Ending(Outcome.ACCEPTED, None, {"streams": streams})


def notify_web_payment_started(arguments: Arguments, station: Station) -> list[Call]:
    """Use case C25."""
    return [Call("NotifyWebPaymentStarted", {"evseId": arguments["evse_id"], "timeout": arguments["timeout_s"]})]
