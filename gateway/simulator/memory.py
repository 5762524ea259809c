"""What the CSMS gave a virtual charger to keep: lists, certificates, messages, monitors and the like."""

from dataclasses import dataclass, field
from typing import Any

from gateway.simulator.certificates import Certificates


@dataclass(slots=True)
class Work:
    """A job that tells its status as it goes on: an upload, an update, a publication."""

    status: str = "Idle"
    request_id: int | None = None
    number: int = 0
    """Counts the jobs of this kind, so that an older one notices that it was replaced."""
    signed: bool = False

    @property
    def running(self) -> bool:
        return self.status != "Idle"

    def begin(self, request_id: int | None) -> None:
        """A new job replaces the present one."""
        self.number += 1
        self.request_id, self.status = request_id, "Idle"


@dataclass(slots=True)
class LocalList:
    """The local authorization list: what is said of each token, by its id in lower case."""

    version: int = 0
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Monitor:
    """A variable that is watched (OCPP 2.x, VariableMonitoringType)."""

    id: int
    kind: str
    value: float
    severity: int
    transaction: bool
    component: dict[str, Any]
    variable: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DerControl:
    """A DER setting as it came in SetDERControl (OCPP 2.1)."""

    id: str
    kind: str
    is_default: bool
    payload: dict[str, Any]
    superseded: bool = False


@dataclass(slots=True)
class Memory:
    """All of it; outlives connections and resets."""

    upload: Work = field(default_factory=Work)
    diagnostics: Work = field(default_factory=Work)
    update: Work = field(default_factory=Work)
    publication: Work = field(default_factory=Work)
    published: set[str] = field(default_factory=set)
    """Checksums of the firmware files that the charger offers to others."""
    local_list: LocalList = field(default_factory=LocalList)
    cache: dict[str, str] = field(default_factory=dict)
    """The AuthorizationStatus of tokens that the CSMS was asked about."""
    certificates: Certificates = field(default_factory=Certificates)
    displays: dict[int, dict[str, Any]] = field(default_factory=dict)
    networks: dict[int, dict[str, Any]] = field(default_factory=dict)
    monitors: dict[int, Monitor] = field(default_factory=dict)
    monitoring_level: int = 9
    tariffs: dict[int, dict[str, Any]] = field(default_factory=dict)
    """The default tariff by EVSE; 0 is for all."""
    ders: dict[str, DerControl] = field(default_factory=dict)
    streams: dict[int, dict[str, Any]] = field(default_factory=dict)
    """The open periodic event streams by id, as ConstantStreamDataType."""
    numbers: int = 0

    def next_number(self) -> int:
        """A number that was not used before: of monitors, events and certificate requests."""
        self.numbers += 1
        return self.numbers
