"""Events in words, for `tail`."""

from collections.abc import Callable, Mapping
from typing import Any

Data = Mapping[str, Any]

_LONGEST = 160
_UNITS = {"Percent": "%", None: ""}


def in_words(event_type: str, data: Data) -> str:
    """What happened, in one line; an event without words of its own is told by its type and data."""
    words = _WORDS.get(event_type)
    return _plainly(event_type, data) if words is None else words(data)


def _plainly(event_type: str, data: Data) -> str:
    facts = ", ".join(
        f"{name} {value}" for name, value in data.items() if name not in ("raw", "violations") and value is not None
    )
    text = f"{event_type.removeprefix('ocpp.').replace('.', ' ').replace('_', ' ')}: {facts}"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _place(data: Data) -> str:
    """`connector 1: ` or, where the EVSE has more, `evse 1 connector 2: `; nothing for the charger as a whole."""
    evse, connector = data.get("evse_id"), data.get("connector_id")
    if not evse:
        return ""
    return f"connector {evse}: " if connector in (None, 1) else f"evse {evse} connector {connector}: "


def _joined(*parts: object, sep: str = ", ") -> str:
    return sep.join(str(part) for part in parts if part not in (None, ""))


def _energy(watt_hours: Any) -> str | None:
    return None if watt_hours is None else f"{watt_hours / 1000:.3f} kWh"


def _duration(seconds: Any) -> str | None:
    if seconds is None:
        return None
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _measured(data: Data) -> str | None:
    """The overall values of the samples that people look for first."""
    shown = {"Power.Active.Import": "power", "Current.Import": "current", "SoC": "charge"}
    found = [
        f"{shown[sample['measurand']]} {sample['value']} {_UNITS.get(sample.get('unit'), sample.get('unit'))}"
        for sample in data.get("samples") or ()
        if sample.get("measurand") in shown and sample.get("phase") is None
    ]
    return ", ".join(found) or None


def _connected(data: Data) -> str:
    version = data.get("ocpp_version")
    return "connected" + (f" with OCPP {version}" if version else "")


def _disconnected(data: Data) -> str:
    return _joined("disconnected", data.get("reason"), sep=": ")


def _booted(data: Data) -> str:
    firmware = data.get("firmware_version")
    what = _joined(
        _joined(data.get("vendor"), data.get("model"), sep=" "), f"firmware {firmware}" if firmware else None
    )
    return _joined("booted", what, sep=": ")


def _status(data: Data) -> str:
    words = str(data.get("status")).replace("_", " ")
    error = data.get("error") or {}
    fault = _joined(error.get("code"), error.get("vendor_code"), error.get("info"), sep=" ")
    return _place(data) + _joined(words, fault, sep=", error ")


def _meter(data: Data) -> str:
    return _place(data) + (_measured(data) or f"{len(data.get('samples') or ())} meter values")


def _transaction(data: Data) -> str:
    """The transaction by the first digits of its id, enough for people."""
    name = str(data.get("transaction_id"))
    return f"transaction {name if len(name) <= 12 else name[:8] + '…'}"


def _token(data: Data) -> str | None:
    token = data.get("token")
    return None if not token else f"token {token.get('id')}"


def _transaction_started(data: Data) -> str:
    return _place(data) + _joined(f"{_transaction(data)} started", _token(data))


def _transaction_updated(data: Data) -> str:
    state = data.get("charging_state")
    return _place(data) + _joined(_transaction(data), state, _energy(data.get("energy_wh")), _measured(data))


def _transaction_ended(data: Data) -> str:
    facts = _joined(
        _energy(data.get("energy_wh")),
        f"in {length}" if (length := _duration(data.get("duration_s"))) else None,
        data.get("stop_reason"),
        f"look at it: {' '.join(data['suspect'])}" if data.get("suspect") else None,
    )
    return _place(data) + _joined(f"{_transaction(data)} ended", facts, sep=": ")


def _transaction_corrected(data: Data) -> str:
    return _place(data) + _joined(
        f"{_transaction(data)} corrected, revision {data.get('revision')}",
        _energy(data.get("energy_wh")),
        sep=": ",
    )


def _authorization(data: Data) -> str:
    by = data.get("decided_by") or data.get("authorized_by")
    return _joined(_token(data) or "a token", data.get("status"), sep=": ") + (f" (by {by})" if by else "")


def _command(data: Data) -> str:
    return _joined(f"command {data.get('name')}: {data.get('outcome')}", data.get("reason"), sep=", ")


_WORDS: dict[str, Callable[[Data], str]] = {
    "ocpp.charger.connected": _connected,
    "ocpp.charger.disconnected": _disconnected,
    "ocpp.charger.booted": _booted,
    "ocpp.charger.status": _status,
    "ocpp.connector.status": _status,
    "ocpp.meter.values": _meter,
    "ocpp.transaction.started": _transaction_started,
    "ocpp.transaction.updated": _transaction_updated,
    "ocpp.transaction.ended": _transaction_ended,
    "ocpp.transaction.corrected": _transaction_corrected,
    "ocpp.authorization.decided": _authorization,
    "ocpp.command.result": _command,
}
