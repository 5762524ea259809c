"""What to simulate: how many chargers, of which version, against which CSMS, doing what."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from gateway.core.errors import ConfigurationError

Version = Literal["1.6", "2.0.1", "2.1"]
Scenario = Literal["charge", "idle", "backlog", "storm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorOptions:
    """A fleet of virtual chargers and what it does. Raises ConfigurationError where the options make no sense.

    Times that a charger keeps by itself (samples, idle times, heartbeats, retries of a boot) pass `speed` times as
    fast; deadlines for the CSMS's answers and reconnects are in real seconds.
    """

    url: str = "ws://127.0.0.1:9000/ocpp"
    """The CSMS; each charger appends `/` and its identity."""
    version: Version = "1.6"
    count: int = 1
    ids: Sequence[str] = ()
    """Identities; where given, `count` and `id_prefix` are ignored."""
    id_prefix: str = "SIM"
    """Identities are the prefix and a number from 0001."""
    scenario: Scenario = "charge"
    connectors: int = 1
    token: str = "SIMULATED-TOKEN"  # noqa: S105 - an id tag, no secret
    interval: float = 10.0
    """Seconds between two samples of a transaction."""
    samples: int = 6
    """Samples of one transaction between its start and its stop, where nobody stops it before."""
    idle_time: float = 30.0
    """Mean seconds between two transactions; in `storm` also the mean life of a connection."""
    rounds: int | None = None
    """Transactions per connector, then the charger leaves; None goes on until stopped."""
    power_w: float = 11_000.0
    backlog_age: float = 3_600.0
    """Seconds by which the stored transaction of `backlog` lies in the past."""
    stream: bool = False
    """OCPP 2.1: open a periodic event stream and send each sample's power on it, too."""
    speed: float = 1.0
    begin: float | None = None
    """Unix seconds at which the charger's clock begins, to run `speed` times as fast as ours; None: it tells ours."""
    seed: int = 0
    """Makes pauses and meter values repeat from run to run; ids of messages and transactions never repeat."""
    duration: float | None = None
    """Real seconds; None runs until stopped or until all rounds are done."""
    ramp: float | None = None
    """Chargers that connect per second; None all at once."""
    password: str | bytes | None = None
    """Basic-auth password; the identity is the user name."""
    tls_ca: Path | None = None
    """PEM file of the CA that signed the CSMS's certificate; None trusts the system's."""
    connect_timeout: float = 10.0
    call_timeout: float = 30.0
    """Real seconds for the CSMS's answer; an unanswered transaction message is then sent again."""
    transaction_attempts: int = 3
    """A transaction message answered by CALLERROR is sent this often, then dropped; a timeout is no attempt."""
    reconnect_min: float = 0.5
    reconnect_max: float = 30.0
    ping_interval: float | None = 30.0
    stop_on_exit: bool = True
    """End running transactions, and wait briefly for their acknowledgement, before leaving."""
    leave_timeout: float = 5.0
    """Real seconds in which a charger that leaves gets rid of what it has stored."""
    record: bool = False
    """Keep every acknowledged message in the report."""

    def __post_init__(self) -> None:
        checks = {
            "url must begin with ws:// or wss://": self.url.startswith(("ws://", "wss://")),
            f"version must be one of {', '.join(get_args(Version))}": self.version in get_args(Version),
            f"scenario must be one of {', '.join(get_args(Scenario))}": self.scenario in get_args(Scenario),
            "count, connectors, samples and transaction_attempts must be at least 1": min(
                self.count, self.connectors, self.samples, self.transaction_attempts
            )
            >= 1,
            "speed, interval and idle_time must be above 0": min(self.speed, self.interval, self.idle_time) > 0,
            "reconnect_min must be above 0 and at most reconnect_max": 0 < self.reconnect_min <= self.reconnect_max,
            "tls_ca needs a wss:// url": self.tls_ca is None or self.url.startswith("wss://"),
            "ids must differ": len(set(self.ids)) == len(self.ids),
        }
        wrong = [message for message, holds in checks.items() if not holds]
        if wrong:
            raise ConfigurationError("; ".join(wrong), source="simulator")

    def identities(self) -> list[str]:
        """The identities of the fleet, in order."""
        return list(self.ids) or [f"{self.id_prefix}{number:04d}" for number in range(1, self.count + 1)]
