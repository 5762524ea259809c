"""The ports that REST stands on, in memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from gateway.core.adapter import GatewayContext
from gateway.core.clock import SystemClock
from gateway.core.commands import Command, CommandResult, Outcome, Stage
from gateway.core.errors import (
    CommandRefused,
    CommandRunning,
    CursorExpired,
    IdempotencyConflict,
    LogUnavailable,
    NotFound,
)
from gateway.core.health import HealthBoard
from gateway.core.identity import ChargerId
from gateway.core.ports import (
    ApiKey,
    Asker,
    ChangesPage,
    ChargerSettings,
    DeadLetter,
    FeedPage,
    IdToken,
    ListStanding,
    LogEntry,
    NodeInfo,
    Page,
    Placed,
    Registration,
    Scope,
    Snapshot,
)
from gateway.core.router import Router
from gateway.core.transaction_query import TransactionQuery


class Outage:
    """Redis, there or away, for every fake at once."""

    def __init__(self) -> None:
        self.away = False
        self.asked = 0

    def ask(self) -> None:
        self.asked += 1
        if self.away:
            raise LogUnavailable("Redis at redis://fake cannot be reached")


def _page(items: Sequence[Any], after: str | None, limit: int) -> Page:
    if after is not None and not after.isdecimal():
        raise NotFound(f"no such cursor: {after}")
    start = int(after or 0)
    end = start + limit
    return Page(list(items[start:end]), str(end) if end < len(items) else None)


class FakeFeed:
    """A log of which everything before `lost` is gone."""

    def __init__(self, redis: Outage) -> None:
        self.redis = redis
        self.log: list[LogEntry] = []
        self.lost = 0
        self.was_read = asyncio.Event()

    def add(self, kind: str, charger: str = "CP-1") -> None:
        number = len(self.log) + 1
        body = json.dumps({"id": f"e{number}", "type": kind}).encode()
        self.log.append(LogEntry(f"{number}-0", ChargerId(charger), f"e{number}", kind, body))

    async def earliest(self) -> str:
        return str(self.lost)

    async def latest(self) -> str:
        return str(len(self.log))

    async def read(
        self, after: str, *, limit: int, types: Sequence[str] = (), charger: ChargerId | None = None
    ) -> FeedPage:
        self.redis.ask()
        self.was_read.set()
        if not after.isdecimal():
            raise NotFound("no such cursor")
        if int(after) < self.lost:
            raise CursorExpired(str(self.lost))
        found = self.log[int(after) : int(after) + limit]
        kept = [
            entry
            for entry in found
            if (charger is None or entry.charger == charger)
            and (not types or any(entry.type.startswith(wanted.rstrip("*")) for wanted in types))
        ]
        return FeedPage(kept, str(int(after) + len(found)))

    async def entry(self, charger: ChargerId, position: str) -> LogEntry | None:
        self.redis.ask()
        return next((one for one in self.log if (one.charger, one.position) == (charger, position)), None)


class FakeState:
    def __init__(self, redis: Outage) -> None:
        self.redis = redis
        self.snapshots: dict[ChargerId, Snapshot] = {}
        self.records: dict[str, dict[str, Any]] = {}
        self.sampled: dict[str, list[dict[str, Any]]] = {}
        self.letters: dict[str, DeadLetter] = {}
        self.causes: dict[str, str] = {}

    def add(self, identity: str, *, online: bool = False, connectors: Sequence[tuple[int, int]] = ((1, 1),)) -> None:
        charger = ChargerId(identity)
        fields = {
            "charger": json.dumps({"vendor": "Example", "model": "Wallbox", "note": "kept as it is"}).encode(),
            "availability": b"online" if online else b"offline",
            "memory": b'{"secret": "of the twin"}',
        }
        for evse, connector in connectors:
            fields[f"connector/{evse}/{connector}"] = json.dumps({"status": "available", "power_w": 0}).encode()
        self.snapshots[charger] = Snapshot(charger, fields)

    def add_letter(self, letter_id: str) -> None:
        entry = LogEntry(
            "1-0", ChargerId("CP-1"), "e1", "ocpp.charger.booted", b'{"id":"e1","big":18446744073709551617}'
        )
        self.letters[letter_id] = DeadLetter(letter_id, "mqtt", "too large", 0.0, entry)

    async def chargers(self, *, after: str | None = None, limit: int = 100) -> Page:
        self.redis.ask()
        return _page(list(self.snapshots.values()), after, limit)

    async def charger(self, charger: ChargerId) -> Snapshot | None:
        self.redis.ask()
        return self.snapshots.get(charger)

    async def owner(self, charger: ChargerId) -> str | None:
        self.redis.ask()
        snapshot = self.snapshots.get(charger)
        return "node-1" if snapshot is not None and snapshot.fields["availability"] == b"online" else None

    def _found(self, query: TransactionQuery) -> list[dict[str, Any]]:
        charger = query.charger
        own = [r for r in self.records.values() if charger is None or r["charger_id"] == charger.identity]
        return [record for record in own if query.matches(record)]

    async def transactions(self, query: TransactionQuery, *, after: str | None = None, limit: int = 100) -> Page:
        self.redis.ask()
        return _page(self._found(query), after, limit)

    async def changed_transactions(
        self, query: TransactionQuery, *, since: float, after: str | None = None, limit: int = 100
    ) -> ChangesPage:
        self.redis.ask()
        page = _page(self._found(query), after, limit)
        start = int(after or 0)
        return ChangesPage(page.items, str(start + len(page.items)), more=page.next is not None)

    async def caused(self, charger: ChargerId, command_id: str) -> str | None:
        self.redis.ask()
        return self.causes.get(command_id)

    async def samples(self, transaction_id: str) -> list[dict[str, Any]]:
        self.redis.ask()
        return self.sampled.get(transaction_id, [])

    async def transaction(self, transaction_id: str) -> dict[str, Any] | None:
        self.redis.ask()
        return self.records.get(transaction_id)

    async def remove_charger(self, charger: ChargerId) -> None:
        self.redis.ask()
        snapshot = self.snapshots.get(charger)
        if snapshot is None:
            raise NotFound(f"no charger {charger}")
        if snapshot.fields["availability"] == b"online":
            raise CommandRefused(f"{charger} is connected; disconnect it first")
        del self.snapshots[charger]

    async def nodes(self) -> list[NodeInfo]:
        self.redis.ask()
        return [NodeInfo("node-1", 0.0, 3, "0.1.0")]

    async def dead_letters(self, *, after: str | None = None, limit: int = 100) -> Page:
        self.redis.ask()
        return _page(list(self.letters.values()), after, limit)

    async def remove_dead_letter(self, letter_id: str) -> None:
        self.redis.ask()
        if self.letters.pop(letter_id, None) is None:
            raise NotFound(f"no dead letter {letter_id!r}")


class FakeCommands:
    def __init__(self, redis: Outage, queue: "FakeQueue") -> None:
        self.redis, self.queue = redis, queue
        self.begun: dict[str, Command] = {}
        self.ended: dict[str, CommandResult] = {}
        self.holders: dict[str, str] = {}
        self.finished = asyncio.Event()

    async def begin(self, command: Command) -> CommandResult | None:
        self.redis.ask()
        earlier = self.begun.setdefault(command.id, command)
        if earlier is command:
            return None
        if (earlier.charger, earlier.name, earlier.arguments) != (command.charger, command.name, command.arguments):
            raise IdempotencyConflict(f"command {command.id} was another one")
        if command.id not in self.ended:
            raise CommandRunning(f"command {command.id} is still running")
        return self.ended[command.id]

    async def finish(self, result: CommandResult, *, deadline: float) -> CommandResult:
        self.ended[result.id] = result
        self.finished.set()
        return result

    async def note_waiting(self, command: Command) -> None:
        self.redis.ask()

    async def note_answer(self, result: CommandResult) -> None:
        self.redis.ask()

    async def hear(self, command_id: str, node: str, *, kept_seconds: float, instead_of: str | None = None) -> str:
        self.redis.ask()
        if self.holders.get(command_id) in (None, instead_of):
            self.holders[command_id] = node
        return self.holders[command_id]

    async def stage(self, command_id: str) -> tuple[Stage, str | None]:
        self.redis.ask()
        holder = self.holders.get(command_id)
        if command_id in self.ended:
            return Stage.ENDED, holder
        if command_id in self.begun:
            return (Stage.WAITING if command_id in self.queue.waiting else Stage.BEGUN), holder
        return (Stage.UNHEARD if holder is None else Stage.HEARD), holder

    async def get(self, command_id: str) -> dict[str, Any] | None:
        self.redis.ask()
        if command_id in self.ended:
            return self.ended[command_id].as_dict()
        command = self.begun.get(command_id)
        if command is None:
            return None
        named = {"id": command.id, "charger_id": command.charger.identity, "name": command.name}
        return {**named, "outcome": None, "state": "queued" if command_id in self.queue.waiting else "running"}


class FakeQueue:
    """Commands that wait for their charger; `arrivals` gets the id of each."""

    def __init__(self, redis: Outage) -> None:
        self.redis = redis
        self.waiting: dict[str, Command] = {}
        self.arrivals: asyncio.Queue[str] = asyncio.Queue()

    async def arrived(self) -> str:
        return await asyncio.wait_for(self.arrivals.get(), 60)

    async def put(self, command: Command, *, until: float, ending: Outcome, elsewhere: str | None = None) -> Placed:
        self.redis.ask()
        self.waiting[command.id] = command
        self.arrivals.put_nowait(command.id)
        return Placed(True)

    async def waits(self, charger: ChargerId) -> bool:
        return any(command.charger == charger for command in self.waiting.values())

    async def end(self, charger: ChargerId, command_id: str, outcome: Outcome) -> Command | None:
        self.redis.ask()
        return self.waiting.pop(command_id, None)

    async def strike_off(self, charger: ChargerId, command_id: str) -> None: ...


class FakeSettings:
    def __init__(self, redis: Outage) -> None:
        self.redis = redis
        self.passwords: dict[ChargerId, bytes] = {}
        self.subprotocols: dict[ChargerId, str] = {}
        self.registrations: dict[ChargerId, Registration] = {}

    async def set_password(self, charger: ChargerId, password: bytes | None) -> None:
        self.redis.ask()
        self.passwords.pop(charger, None)
        if password is not None:
            self.passwords[charger] = password

    async def set_subprotocol(self, charger: ChargerId, subprotocol: str | None) -> None:
        self.redis.ask()
        self.subprotocols.pop(charger, None)
        if subprotocol is not None:
            self.subprotocols[charger] = subprotocol

    async def set_registration(self, charger: ChargerId, registration: Registration | None) -> None:
        self.redis.ask()
        self.registrations.pop(charger, None)
        if registration is not None:
            self.registrations[charger] = registration

    async def get(self, charger: ChargerId) -> ChargerSettings:
        self.redis.ask()
        return ChargerSettings(
            self.subprotocols.get(charger),
            charger in self.passwords,
            registration=self.registrations.get(charger),
        )


class FakeTokens:
    def __init__(self, redis: Outage) -> None:
        self.redis = redis
        self.tokens: dict[str, IdToken] = {}

    async def find(self, token_id: str) -> IdToken | None:
        self.redis.ask()
        return self.tokens.get(token_id.casefold())

    async def standing(self) -> ListStanding:
        self.redis.ask()
        return "listed" if self.tokens else "none"

    async def put(self, tokens: Sequence[IdToken]) -> None:
        self.redis.ask()
        self.tokens |= {token.id.casefold(): token for token in tokens}

    async def remove(self, token_id: str) -> bool:
        self.redis.ask()
        return self.tokens.pop(token_id.casefold(), None) is not None

    async def list(self, *, after: str | None = None, limit: int = 100) -> Page:
        self.redis.ask()
        return _page([token for _, token in sorted(self.tokens.items())], after, limit)


class FakeAskers:
    def __init__(self) -> None:
        self.registered: dict[str, Asker] = {}

    def register(self, asker: Asker) -> None:
        if asker.name in self.registered:
            raise ValueError(f"asker {asker.name} is registered already")
        self.registered[asker.name] = asker


class FakeApiKeys:
    def __init__(self, redis: Outage) -> None:
        self.redis = redis
        self.secrets: dict[str, ApiKey] = {}

    async def create(self, name: str, scope: Scope, *, secret: str | None = None) -> tuple[ApiKey, str]:
        self.redis.ask()
        key = ApiKey(f"k{len(self.secrets) + 1}", name, scope, 0.0)
        secret = secret or f"secret of {key.id}"
        self.secrets[secret] = key
        return key, secret

    async def create_first(self, name: str, scope: Scope) -> tuple[ApiKey, str] | None:
        self.redis.ask()
        return None if self.secrets else await self.create(name, scope)

    async def verify(self, secret: str) -> ApiKey | None:
        self.redis.ask()
        return self.secrets.get(secret)

    async def list(self) -> Sequence[ApiKey]:
        self.redis.ask()
        return list(self.secrets.values())

    async def revoke(self, key_id: str) -> None:
        self.redis.ask()
        secret = next((secret for secret, key in self.secrets.items() if key.id == key_id), None)
        if secret is None:
            raise NotFound(f"no API key {key_id!r}")
        del self.secrets[secret]


class FakeCharger:
    """A charger held by this node; it answers when `answering` is set, and `following` is what follows from its yes."""

    epoch = 1

    def __init__(self, identity: str) -> None:
        self.charger = ChargerId(identity)
        self.answering = asyncio.Event()
        self.answering.set()
        self.following: dict[str, asyncio.Event] = {}
        self.outcome = Outcome.ACCEPTED
        self.result: dict[str, Any] | None = None
        self.failure: Exception | None = None
        self.executed: list[Command] = []

    async def ready(self) -> bool:
        return True

    async def execute(self, command: Command) -> CommandResult:
        self.executed.append(command)
        await self.answering.wait()
        if self.failure is not None:
            raise self.failure
        if command.name in self.following:
            if command.answered is not None:
                command.answered()
            await self.following[command.name].wait()
        return CommandResult(command.id, self.charger, command.name, self.outcome, result=self.result)

    def close(self, code: int, reason: str) -> None: ...


class FakeMailboxes:
    async def tell_ended(self, node: str, command_id: str) -> None: ...

    async def call(self, node: str, command: Command, *, deadline: float) -> CommandResult:
        raise AssertionError("no other node here")


class NoObserver:
    """Counts nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *values: None


class FakeGateway:
    """A gateway in memory, and the context that an adapter gets of it."""

    def __init__(self, *, dev: bool = False) -> None:
        self.redis = Outage()
        self.state = FakeState(self.redis)
        self.feed = FakeFeed(self.redis)
        self.queue = FakeQueue(self.redis)
        self.commands = FakeCommands(self.redis, self.queue)
        self.settings = FakeSettings(self.redis)
        self.api_keys = FakeApiKeys(self.redis)
        self.tokens = FakeTokens(self.redis)
        self.askers = FakeAskers()
        self.health = HealthBoard()
        clock, observer = SystemClock(), NoObserver()
        self.router = Router(
            node="node-1",
            clock=clock,
            state=self.state,
            commands=self.commands,
            queue=self.queue,
            mailboxes=FakeMailboxes(),
            observer=observer,
        )
        self.context = GatewayContext(
            node="node-1",
            version="0.1.0",
            clock=clock,
            router=self.router,
            state=self.state,
            commands=self.commands,
            settings=self.settings,
            api_keys=self.api_keys,
            tokens=self.tokens,
            askers=self.askers,
            feed=self.feed,
            health=self.health,
            observer=observer,
            metrics=_metrics,
            read_log=_never_read,
            known_chargers=_no_chargers,
            dev=dev,
        )

    def connect(self, identity: str) -> FakeCharger:
        """A charger that this node holds."""
        charger = FakeCharger(identity)
        self.state.add(identity, online=True)
        self.router.attach(charger)
        return charger

    def key(self, scope: Scope) -> dict[str, str]:
        """Headers with a key of this scope."""
        secret = f"{scope}-secret"
        self.api_keys.secrets[secret] = ApiKey(f"key-{scope}", f"{scope} key", scope, 0.0)
        return {"Authorization": f"Bearer {secret}"}


async def _never_read(reader: object) -> None:
    raise AssertionError("REST does not read the log")


async def _metrics() -> bytes:
    return b"# HELP ocpp_connections Connections\n"


async def _no_chargers() -> AsyncIterator[ChargerId]:
    return
    yield
