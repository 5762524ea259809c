"""Section [chargers]: where chargers connect, and how patient the gateway is with them."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import NoDecode

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
TlsVersion = Literal["1.0", "1.1", "1.2", "1.3"]
Subprotocol = Literal["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]


def _as_list(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [value] if isinstance(value, Path) else value


Files = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_as_list)]


class ChargersConfig(BaseModel):
    """The listener for chargers (OCPP-J), and the deadlines of their connections."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("0.0.0.0", description="Address that chargers connect to; 0.0.0.0 is every interface")  # noqa: S104
    port: int = Field(9000, ge=0, le=65535, description="Port that chargers connect to; 0 takes any free one")
    reuse_port: bool = Field(
        False,
        description="Share the port with other nodes on this machine (SO_REUSEPORT); the system then spreads chargers "
        "over them. `serve --workers` sets it",
    )
    tls_certificate: Files = Field(
        (),
        description="PEM file with the certificate chain; with it chargers connect by wss. A list of files, one for "
        "each kind of key (ECDSA, RSA), serves chargers that know only one kind. Changed files are read without a "
        "restart, for new connections",
    )
    tls_key: Files = Field((), description="PEM file with the certificate's private key; a list, in the same order")
    tls_minimum: TlsVersion = Field(
        "1.2",
        description="Oldest TLS version that is spoken; 1.0 and 1.1 can be broken, but some old chargers know no other",
    )
    tls_client_ca: Path | None = Field(
        None,
        description="PEM file with the authorities that sign your chargers' own certificates, and nobody else's: a "
        "charger that shows one needs no password (security profile 3). The certificate's common name, serialNumber or "
        "a DNS name in it must be the charger id",
    )
    tls_client_certificate: Literal["required", "optional"] = Field(
        "required",
        description="With tls_client_ca: whether chargers without a certificate are turned away, or may connect by "
        "their password (security profile 2 beside 3)",
    )
    tls_client_organizations: tuple[str, ...] = Field(
        (),
        description="Organizations (O), one of which a charger's certificate must name: OCPP demands it, as the "
        "authority may sign for others, too; empty: any",
    )
    default_subprotocol: Subprotocol | None = Field(
        None, description="Version for chargers that offer no subprotocol; without one they are turned away"
    )
    require_password: bool = Field(
        False,
        description="Turn away chargers that have no Basic-auth password stored (a stored one is always asked)",
    )
    heartbeat_interval: int = Field(
        300, ge=1, description="Seconds between heartbeats, as told to chargers in the answer to BootNotification"
    )
    heartbeat_spread: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1,
        description="Part of an interval by which it is shorter for some chargers than for others, so that a fleet "
        "does not beat in step: with 0.1 and 300 s each charger is told 270 to 300, always the same; 0 tells all the "
        "same. What a business system answers is told as it is",
    )
    ping_interval: Seconds = Field(60, description="Seconds between WebSocket pings; 0 sends none")
    idle_timeout: Seconds = Field(
        660,
        description="Close a connection on which nothing at all arrived for so many seconds, not even a pong; 0 never "
        "does. Keep it well above heartbeat_interval: some chargers answer no ping, and send nothing but heartbeats",
    )
    handshake_timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        10, description="Seconds that a charger may take to open its connection"
    )
    admission_rate: Seconds = Field(
        200,
        description="Chargers let in per second on this node, so that a fleet which comes back at once is served "
        "instead of timing out; the others get 503 with a Retry-After that tells each its turn. 0: no limit",
    )
    admission_burst: int = Field(
        1000, ge=1, description="Chargers let in at once after a quiet time; only those beyond wait for their turn"
    )
    drain_rate: Seconds = Field(
        200,
        description="Chargers sent away per second when the gateway stops (close code 1012), as the other nodes take "
        "them; faster where [gateway] shutdown_deadline leaves no time for that. 0: all at once",
    )
    command_timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        30, description="Seconds that a charger may take to answer a command"
    )
    money_grace: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        8.0,
        description="Seconds that a transaction's message may wait for Redis before the connection is closed, "
        "so that the charger keeps the message and sends it again",
    )
    last_seen_interval: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        60, description="Seconds between updates of a charger's last_seen_at while it sends nothing but heartbeats"
    )
    missing_messages_grace: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        300,
        description="Seconds that the end of a transaction waits for messages which the charger numbered and has not "
        "sent yet; after it the transaction ends with the gap flagged",
    )
    silent_transaction_limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        7 * 86400,
        description="Seconds of silence after which a transaction ends as one whose stop was lost (missing_stop); a "
        "stop that comes later corrects it",
    )
    report_grace: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        600, description="Seconds after which a report that began to come in parts is told as it is, incomplete"
    )
    max_message_bytes: int = Field(1024 * 1024, ge=1024, description="Longest message taken from a charger, in bytes")
    max_inbound_queue: int = Field(
        64, ge=1, description="Messages of one charger that may wait here; beyond that its socket is not read"
    )
    max_inbound_bytes: int = Field(
        256 * 1024,
        ge=1024,
        description="Their size in bytes at which the same happens; a single longer message is taken all the same",
    )
    compression: bool = Field(
        False, description="Offer permessage-deflate; it costs 3.5 times the memory for each connection"
    )
    raw_messages: tuple[str, ...] = Field(
        (),
        description="Chargers whose every OCPP message, both ways, becomes an event ocpp.message: patterns of ids, "
        '["*"] for all. They more than double the log. Passwords do not appear in them; a crash may cost the last ones',
    )
    strict: bool = Field(
        False,
        description="Answer messages that break OCPP's schema with CALLERROR instead of taking and flagging them; "
        "messages of transactions are taken all the same",
    )
    quirks: Path | None = Field(
        None,
        description="TOML file, or folder of such, with quirk profiles: how makes of chargers stray from OCPP (time "
        "zone, units, subprotocol ...). They win over the built-in ones, gateway/ocpp/quirks/makes.toml, which "
        "explains what may stand there",
    )

    @field_validator("tls_certificate", "tls_key", "tls_client_ca", "quirks")
    @classmethod
    def _exists(cls, given: tuple[Path, ...] | Path | None) -> tuple[Path, ...] | Path | None:
        paths = given if isinstance(given, tuple) else () if given is None else (given,)
        for path in paths:
            if not path.exists():
                raise ValueError("there is no such file" + (f": {path}" if len(paths) > 1 else ""))
        return given

    @model_validator(mode="after")
    def _certificate_and_key_go_together(self) -> Self:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key go together: one is set, the other is not")
        if len(self.tls_certificate) != len(self.tls_key):
            raise ValueError("tls_certificate and tls_key go together: each certificate needs its own key, in order")
        if self.tls_client_ca is not None and not self.tls_certificate:
            raise ValueError("tls_client_ca needs TLS: set tls_certificate and tls_key, too")
        if self.tls_client_organizations and self.tls_client_ca is None:
            raise ValueError("tls_client_organizations needs tls_client_ca: without it no charger shows a certificate")
        return self
