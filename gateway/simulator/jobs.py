"""Jobs that take a while and tell how they go: uploads of logs, updates of the firmware. Nothing is really moved."""

from collections.abc import Callable, Sequence
from typing import Any

from gateway.simulator.memory import Work
from gateway.simulator.messages import Errand, Message, Pause, Until
from gateway.simulator.times import unix_seconds

Stage = tuple[Pause | Until, str]
"""A wait, and the status that is told after it."""

UPLOAD: Sequence[Stage] = ((Pause(1), "Uploading"), (Pause(5), "Uploaded"))
PUBLICATION: Sequence[Stage] = (
    (Pause(1), "Downloading"),
    (Pause(10), "Downloaded"),
    (Pause(2), "ChecksumVerified"),
    (Pause(1), "Published"),
)


def update(firmware: dict[str, Any], now: float) -> Sequence[Stage]:
    """The stages of an update (use case L01), with its appointments and the check of its signature, if it has any."""
    retrieve = unix_seconds(firmware["retrieveDateTime"])
    install = unix_seconds(firmware["installDateTime"]) if firmware.get("installDateTime") else 0.0
    stages: list[Stage] = []
    if retrieve > now:
        stages += [(Pause(1), "DownloadScheduled"), (Until(retrieve), "Downloading")]
    else:
        stages.append((Pause(1), "Downloading"))
    stages.append((Pause(10), "Downloaded"))
    if firmware.get("signature"):
        stages.append((Pause(2), "SignatureVerified"))
    if install > now:
        stages += [(Pause(1), "InstallScheduled"), (Until(install), "Installing")]
    else:
        stages.append((Pause(1), "Installing"))
    return [*stages, (Pause(10), "Installed")]


def go_through(work: Work, stages: Sequence[Stage], tell: Callable[[Work], Message]) -> Errand:
    """Tell each stage in its time; a newer job of the same kind ends this one."""
    number = work.number
    for wait, status in stages:
        yield wait
        if work.number != number:
            return
        work.status = status
        yield tell(work)
    if work.number == number:
        work.status, work.request_id = "Idle", None
