"""The log and the ownership of chargers in memory: what `gateway.cluster` does over Redis, for tests without one."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from gateway.core.commands import Command, CommandResult
from gateway.core.errors import LogUnavailable, OwnershipLost
from gateway.core.events import TOUCH
from gateway.core.identity import ChargerId
from gateway.core.ledger import command_name
from gateway.core.ports import ChargerSettings, Claim, Commit, Receipt


@dataclass
class MemoryStore:
    """Implements EventLog, Ownership and LaterWork.

    `available` may be cleared to play an outage of Redis, `prompt` to have it answer handshakes late.
    """

    events: list[tuple[ChargerId, dict[str, object]]] = field(default_factory=list)
    answers: dict[tuple[ChargerId, str], bytes] = field(default_factory=dict)
    fields: dict[ChargerId, dict[str, bytes]] = field(default_factory=dict)
    records: dict[ChargerId, dict[str, bytes]] = field(default_factory=dict)
    samples: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    names: dict[tuple[ChargerId, str], str] = field(default_factory=dict)
    epochs: dict[ChargerId, int] = field(default_factory=dict)
    owned: set[ChargerId] = field(default_factory=set)
    passwords: dict[ChargerId, bytes] = field(default_factory=dict)
    subprotocols: dict[ChargerId, str] = field(default_factory=dict)
    begun: list[Command] = field(default_factory=list)
    ended: dict[str, CommandResult] = field(default_factory=dict)
    commits: int = 0
    recalls: int = 0
    later: dict[tuple[ChargerId, str, str], tuple[float, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._submitted: set[asyncio.Task[bytes | None]] = set()
        self.available, self.prompt = asyncio.Event(), asyncio.Event()
        self.available.set()
        self.prompt.set()
        self.asked = 0

    # ------------------------------------------------------------ EventLog

    def submit(self, commit: Commit, receipt: Receipt) -> None:
        def settle(task: "asyncio.Task[bytes | None]") -> None:
            self._submitted.discard(task)
            if task.cancelled():
                receipt.cancel()
            elif (error := task.exception()) is not None:
                assert isinstance(error, Exception)
                receipt.set_exception(error)
            else:
                receipt.set_result(task.result())

        task = asyncio.get_running_loop().create_task(self.commit(commit), name="submitted commit")
        self._submitted.add(task)
        task.add_done_callback(settle)

    async def commit(self, commit: Commit) -> bytes | None:
        await self.available.wait()
        if commit.charger not in self.owned:
            raise OwnershipLost(str(commit.charger), forgotten=True)
        if self.epochs[commit.charger] != commit.epoch:
            raise OwnershipLost(str(commit.charger), forgotten=False)
        if commit.key is not None:
            earlier = self.answers.get((commit.charger, commit.key))
            if earlier is not None:
                return earlier
            self.answers[commit.charger, commit.key] = commit.answer
        self.commits += 1
        fields = self.fields.setdefault(commit.charger, {})
        fields.update(commit.fields)
        for name in [name for name, value in fields.items() if not value]:
            del fields[name]
        self.records.setdefault(commit.charger, {}).update(commit.transactions)
        self.names |= {(commit.charger, name): known for name, known in commit.names.items()}
        for transaction, samples in commit.samples.items():
            self.samples.setdefault(transaction, []).extend(orjson.loads(samples))
        self.events += [(commit.charger, orjson.loads(event.body)) for event in commit.events if event is not TOUCH]
        return None

    # ------------------------------------------------------------ Ownership

    def _require(self) -> None:
        if not self.available.is_set():
            raise LogUnavailable("Redis is away")

    async def settings(self, charger: ChargerId) -> ChargerSettings:
        self.asked += 1
        await self.prompt.wait()
        self._require()
        told = orjson.loads(self.fields.get(charger, {}).get("charger", b"{}"))
        make = (told.get(name) for name in ("vendor", "model", "firmware_version"))
        return ChargerSettings(self.subprotocols.get(charger), charger in self.passwords, *make)

    async def check_password(self, charger: ChargerId, password: bytes) -> bool:
        self._require()
        return self.passwords.get(charger) == password

    async def change_password(self, charger: ChargerId, password: bytes) -> bool:
        self._require()
        if charger not in self.passwords:
            return False
        self.passwords[charger] = password
        return True

    async def claim(self, charger: ChargerId, *, above: int = 0) -> Claim:
        self.asked += 1
        await self.prompt.wait()
        self._require()
        epoch = max(self.epochs.get(charger, 0), above) + 1
        self.epochs[charger] = epoch
        self.owned.add(charger)
        fields = dict(self.fields.get(charger, {}))
        active = orjson.loads(fields.get("memory", b"{}")).get("active", [])
        records = {name: self.records[charger][name] for name in active}
        return Claim(epoch, fields, records, time.time())

    async def claim_absent(self, charger: ChargerId, *, above: int = 0) -> Claim | None:
        self._require()
        return None if charger in self.owned else await self.claim(charger, above=above)

    async def recall(self, charger: ChargerId, names: Sequence[str]) -> bytes | None:
        self.recalls += 1
        self._require()
        records = self.records.get(charger, {})
        found = (records.get(self.names.get((charger, name), name)) for name in names)
        return next((record for record in found if record is not None), None)

    async def release(self, charger: ChargerId, epoch: int) -> None:
        self._require()
        if self.epochs.get(charger) == epoch:
            self.owned.discard(charger)

    # ------------------------------------------------------------ LaterWork

    async def schedule(self, charger: ChargerId, kind: str, due: float, payload: bytes, *, key: str = "") -> None:
        self._require()
        self.later[charger, kind, key] = (due, payload)

    # ------------------------------------------------------------ what a router asks

    async def owner(self, charger: ChargerId) -> str | None:
        self._require()
        return "node" if charger in self.owned else None

    async def begin(self, command: Command) -> CommandResult | None:
        self._require()
        self.begun.append(command)
        return self.ended.get(command.id)

    async def finish(self, result: CommandResult, *, deadline: float) -> CommandResult:
        self.ended[result.id] = result
        return result

    async def caused(self, charger: ChargerId, command_id: str) -> str | None:
        self._require()
        return self.names.get((charger, command_name(command_id)))

    # ------------------------------------------------------------ CommandQueue

    async def waits(self, charger: ChargerId) -> bool:
        return False

    # ------------------------------------------------------------ what tests ask

    def types(self, charger: ChargerId) -> list[object]:
        return [event["type"] for owner, event in self.events if owner == charger]

    def forget_everything(self) -> None:
        """As FLUSHALL does."""
        for part in (self.answers, self.fields, self.records, self.names, self.epochs, self.owned):
            part.clear()
