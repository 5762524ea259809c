"""The handshakes that a node refused lately: a bounded memory, for whoever asks why a charger does not connect.

It lives in the process that refused them, and is gone with it.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, get_args

Cause = Literal[
    "no_charger_id",
    "bad_charger_id",
    "not_websocket",
    "not_http",
    "plain_port",
    "tls_failed",
    "too_slow",
    "no_password",
    "wrong_user",
    "wrong_password",
    "wrong_certificate",
    "no_subprotocol",
    "unknown_subprotocol",
    "broken_handshake",
    "unavailable",
    "boot_rejected",
]

ADVICE: dict[Cause, str] = {
    "no_charger_id": "enter an address that ends with the charger's id, ws://<gateway>:<port>/<charger id>; where the "
    "wallbox has a field of its own for the id, fill it in",
    "bad_charger_id": "give the charger a shorter id without odd characters",
    "not_websocket": "a browser or a health check looks like this, too; if it is the wallbox, choose OCPP-J (JSON over "
    "WebSocket) there, not SOAP",
    "not_http": "something other than a charger speaks to this port, or the wallbox is set to another protocol",
    "plain_port": "the wallbox uses wss:// (TLS), this gateway does not: enter ws://, or set [chargers] "
    "tls_certificate and tls_key",
    "tls_failed": "let the charger trust the gateway's certificate, made out to the name that it connects to; see the "
    "reason",
    "too_slow": "it connected and said nothing: a port check, or a bad network; if it is the wallbox, look at its "
    "WiFi or cable",
    "no_password": "enter the password in the wallbox (OCPP security profile 1 or 2; AuthorizationKey), or remove the "
    "one stored here: DELETE /v1/chargers/<id>/credentials",
    "wrong_user": "the user name at the wallbox must be the charger's id, exactly as at the end of the address",
    "wrong_password": "enter the same password in the wallbox and here (PUT /v1/chargers/<id>/credentials)",
    "wrong_certificate": "give the charger a certificate whose common name is its id, of an allowed organization",
    "no_subprotocol": 'set [chargers] default_subprotocol, to "ocpp1.6" for most, as the charger names no version',
    "unknown_subprotocol": "choose OCPP 1.6J, 2.0.1 or 2.1 in the wallbox's settings, or update its firmware",
    "broken_handshake": "the wallbox or a proxy between breaks the WebSocket handshake: see the reason",
    "unavailable": "the gateway could not reach Redis; the charger comes again by itself",
    "boot_rejected": "whoever answers the question boot ([answers] boot) says no: accept the charger there, or by "
    'PUT /v1/chargers/<id>/registration with {"status": "accepted"}',
}
"""What to do about each cause."""

MOST = 100
"""Refusals that are remembered; repeats of one count as one."""

_LONGEST_REASON = 300


@dataclass(slots=True)
class Refusal:
    """Why one charger, or whoever it was at this address, was refused, and how often. Times are Unix seconds."""

    charger_id: str | None
    address: str
    cause: Cause
    reason: str
    path: str | None
    first_at: float
    last_at: float
    count: int = 1


class Refusals:
    """The refusals of one node, one for each charger (or address, where it did not say who it is) and cause."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[tuple[str, Cause], Refusal] = OrderedDict()

    def note(
        self,
        cause: Cause,
        reason: str,
        *,
        remote: str,
        now: float,
        charger_id: str | None = None,
        path: str | None = None,
    ) -> None:
        """Remember a refusal; the oldest goes where there are too many. `remote` is host:port."""
        address = remote.rpartition(":")[0] or remote
        key = (address if charger_id is None else f"/{charger_id}", cause)
        known = self._known.pop(key, None)
        refusal = Refusal(charger_id, address, cause, reason[:_LONGEST_REASON], path, now, now)
        if known is not None:
            refusal.first_at, refusal.count = known.first_at, known.count + 1
        self._known[key] = refusal
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def connected(self, charger_id: str) -> None:
        """A charger has come in: what kept it out is over. Whether its boot is accepted is not known by that."""
        if self._known:
            for cause in _CAUSES:
                if cause != "boot_rejected":
                    self._known.pop((f"/{charger_id}", cause), None)

    def accepted(self, charger_id: str) -> None:
        """A charger's boot was accepted."""
        self._known.pop((f"/{charger_id}", "boot_rejected"), None)

    def latest(self) -> list[Refusal]:
        """All that are remembered, the latest first."""
        return list(reversed(self._known.values()))


_CAUSES: tuple[Cause, ...] = get_args(Cause)
