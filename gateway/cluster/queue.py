"""Commands that wait for their charger: a queue for each, in the charger's slot, so that they outlive every node."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gateway.cluster.commands import LOST_AFTER
from gateway.cluster.keys import ChargerKeys, Keys
from gateway.cluster.lane import Lane
from gateway.cluster.later import piece_of_work
from gateway.cluster.scripts import script
from gateway.cluster.wire import Argument
from gateway.core.commands import Command, Outcome, Patience
from gateway.core.identity import ChargerId
from gateway.core.ports import Placed
from gateway.core.superseding import kind_of

KIND = "waiting_command"
"""The kind of later work that ends a command when its time is up; its payload is the command's id."""

MOST_WAITING = 100
"""Commands that may wait for one charger."""


class Queue:
    """The CommandQueue."""

    def __init__(self, lane: Lane, keys: Keys) -> None:
        self._lane, self._keys = lane, keys

    async def put(self, command: Command, *, until: float, ending: Outcome, elsewhere: str | None = None) -> Placed:
        return await self._put(command, until, ending, elsewhere=elsewhere or "")

    async def put_back(self, command: Command, *, epoch: int, until: float, ending: Outcome) -> None:
        await self._put(command, until, ending, taken=str(epoch))

    async def _put(
        self, command: Command, until: float, ending: Outcome, *, elsewhere: str = "", taken: str = ""
    ) -> Placed:
        own = self._keys.charger(command.charger)
        shard = self._keys.shard(own.shard)
        arguments: list[Argument] = [
            command.id,
            _entry(command, until, ending),
            piece_of_work(own.name, KIND, command.id),
            int(until * 1000),
            MOST_WAITING,
            elsewhere,
            taken,
        ]
        names = [own.owner, own.waiting, own.queued, shard.later, shard.later_payloads]
        waits, owner, *superseded = await self._lane.script(script("queue_put"), names, arguments)
        older = [_read(command.charger, entry)[0] for entry in superseded[1::2]]
        return Placed(bool(waits), owner.decode() or None, older)

    async def waits(self, charger: ChargerId) -> bool:
        return bool(await self._lane.call("ZCARD", self._keys.charger(charger).waiting))

    async def take(self, charger: ChargerId, epoch: int) -> tuple[Command, float, Outcome] | None:
        own = self._keys.charger(charger)
        names = [own.owner, own.waiting, own.queued, self._keys.shard(own.shard).later]
        arguments: list[Argument] = [epoch, piece_of_work(own.name, KIND, ""), int(LOST_AFTER * 1000)]
        found = await self._lane.script(script("queue_take"), names, arguments)
        return None if found is None else _read(charger, found[1])

    async def end(self, charger: ChargerId, command_id: str, outcome: Outcome) -> Command | None:
        found = await self._end(self._keys.charger(charger), command_id, outcome.value)
        return None if found is None else _read(charger, found[1])[0]

    async def overdue(self, charger: ChargerId, command_id: str) -> tuple[Command, Outcome] | None:
        found = await self._end(self._keys.charger(charger), command_id, "")
        return None if found is None else (_read(charger, found[1])[0], Outcome(found[0].decode()))

    async def _end(self, own: ChargerKeys, command_id: str, outcome: str) -> Sequence[bytes] | None:
        found: Sequence[bytes] | None = await self._lane.script(
            script("queue_end"), [own.waiting, own.queued], [command_id, outcome]
        )
        return found

    async def strike_off(self, charger: ChargerId, command_id: str) -> None:
        own = self._keys.charger(charger)
        shard, work = self._keys.shard(own.shard), piece_of_work(own.name, KIND, command_id)
        await self._lane.calls(
            [
                ("ZREM", own.waiting, command_id),
                ("HDEL", own.queued, f"e:{command_id}", f"m:{command_id}"),
                ("ZREM", shard.later, work),
                ("HDEL", shard.later_payloads, work),
            ]
        )


def _entry(command: Command, until: float, ending: Outcome) -> str:
    """A command as it is stored: a line for the scripts, and all of it as JSON."""
    patience = command.patience
    kind = kind_of(command.name, command.arguments) or ""
    timeout = 0.0 if patience is None else patience.timeout
    stored = {
        "id": command.id,
        "name": command.name,
        "arguments": command.arguments,
        "deadline": command.deadline,
        "origin": command.origin,
        "patience": None if patience is None else asdict(patience),
        "followed": command.followed,
        "reply": command.reply,
        "asked_at": command.asked_at,
        "until": until,
        "ending": ending.value,
    }
    return f"{int(until * 1000)}|{int(timeout * 1000)}|{ending.value}|{kind}\n{json.dumps(stored)}"


def _read(charger: ChargerId, entry: bytes) -> tuple[Command, float, Outcome]:
    stored: dict[str, Any] = json.loads(entry.partition(b"\n")[2])
    patience = stored["patience"]
    command = Command(
        stored["id"],
        charger,
        stored["name"],
        stored["arguments"],
        stored["deadline"],
        stored["origin"],
        patience=None if patience is None else Patience(**patience),
        followed=stored["followed"],
        reply=stored["reply"],
        asked_at=stored["asked_at"],
    )
    return command, stored["until"], Outcome(stored["ending"])
