"""A reader's one line on the health board, written by all its shards."""

import structlog

from gateway.core.health import HealthBoard

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
