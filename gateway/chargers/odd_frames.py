"""What a charger sends that is no message: told in the log and as an event, at a bounded rate."""

from collections.abc import Callable

import structlog

from gateway.chargers.recorder import Recorder
from gateway.chargers.surroundings import Surroundings
from gateway.core.reports import Notice
from gateway.core.twin import Change
from gateway.ocpp.session import Anomaly

_log = structlog.get_logger(__name__)

VIOLATION_INTERVAL = 1.0
"""Seconds between two violation events of one connection: a charger that sends garbage must not fill the log."""

MAX_ODD_TEXT = 64 * 1024
"""Characters of what is no message that its event tells."""


class OddFrames:
    """One connection's. `enqueue` takes a change of the twin that is to be stored in its turn."""

    __slots__ = ("_around", "_enqueue", "_recorder", "_told_at", "_version")

    def __init__(
        self,
        version: str,
        recorder: Recorder,
        around: Surroundings,
        *,
        enqueue: Callable[[Callable[[], Change]], None],
    ) -> None:
        self._version, self._recorder, self._around, self._enqueue = version, recorder, around, enqueue
        self._told_at = float("-inf")

    def note(self, anomaly: Anomaly) -> None:
        """Unknown is forwarded, never dropped: what is no message becomes an event, at a bounded rate."""
        recorder, around, charger = self._recorder, self._around, str(self._recorder.charger)
        clock = around.clock
        around.observer.message(self._version, "in", anomaly.kind, "anomaly")
        around.observer.violations(charger, [anomaly.kind])
        if clock.monotonic() - self._told_at < VIOLATION_INTERVAL:
            return
        self._told_at = clock.monotonic()
        _log.warning("odd frame", charger=charger, kind=anomaly.kind, detail=anomaly.detail[:300])
        told = {"code": anomaly.kind, "message": anomaly.detail, "raw": anomaly.raw[:MAX_ODD_TEXT]}
        notice, now = Notice("ocpp.charger.violation", told), clock.now()
        self._enqueue(
            lambda: recorder.twin.handle(notice, now=now, redis_now=now + recorder.ahead, violations=[anomaly.kind])
        )
