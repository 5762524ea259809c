"""A reader's one line on the health board, written by all its shards."""

import structlog

from gateway.core.health import HealthBoard
from gateway.core.ports import Observer

log = structlog.get_logger(__name__)


class ReaderHealth:
    """`degraded` while any shard has a problem, and then naming it; each problem is logged once."""

    def __init__(self, reader: str, board: HealthBoard) -> None:
        self._reader, self._board = reader, board
        self._problems: dict[int, str] = {}

    def problem(self, shard: int, detail: str) -> None:
        if self._problems.get(shard) == detail:
            return
        self._problems[shard] = detail
        if self._board.set(self._reader, "degraded", self._told()):
            log.warning("events cannot be delivered", reader=self._reader, shard=shard, problem=detail)

    def clear(self, shard: int) -> None:
        if self._problems.pop(shard, None) is not None and not self._problems:
            log.info("events are delivered again", reader=self._reader)
        self._board.set(self._reader, "degraded" if self._problems else "ok", self._told())

    def _told(self) -> str:
        return "; ".join(sorted(set(self._problems.values())))


class ShardHealth:
    """What one shard has to say about its deliveries."""

    def __init__(self, reader: str, shard: int, health: ReaderHealth, observer: Observer) -> None:
        self._reader, self._shard, self._health, self._observer = reader, shard, health, observer
        self._refusals: set[str] = set()

    def not_connected(self) -> None:
        self._health.problem(self._shard, "not connected")

    def connected(self) -> None:
        if not self._refusals:
            self._health.clear(self._shard)

    def interrupted(self, problem: str) -> None:
        self._observer.undelivered(self._reader, self._shard, "interrupted")
        log.info("a delivery was interrupted", reader=self._reader, shard=self._shard, problem=problem)

    def refused(self, what: str, problem: str, topic: str) -> None:
        self._refusals.add(what)
        self._observer.undelivered(self._reader, self._shard, "refused")
        self._health.problem(self._shard, f"refused: {topic or problem}")

    def accepted(self, what: str) -> None:
        """What was refused, if it was, is taken now."""
        if what in self._refusals:
            self._refusals.discard(what)
            self.connected()
