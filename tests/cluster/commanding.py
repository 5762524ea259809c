"""Nodes that route commands over a real Valkey, and the chargers that they hold."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway.cluster.queue import KIND
from gateway.core.clock import SystemClock
from gateway.core.commands import Command, CommandResult, Outcome, Patience, validated_arguments
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit
from gateway.core.router import Router
from tests.cluster.support import CP1, Hooks, Node
from tests.support.servers import Valkey


class RouterHooks(Hooks):
    """Hands on to the router what the cluster asks of a node."""

    router: Router

    async def execute_here(self, command: Command) -> CommandResult:
        return await self.router.execute_here(command)

    def deliver(self, charger: ChargerId) -> None:
        self.router.deliver(charger)

    def heard_of_end(self, command_id: str) -> None:
        self.router.heard_of_end(command_id)

    def superseded(self, charger: ChargerId, epoch: int, by: str) -> None:
        held = self.router.local(charger)
        if held is not None and held.epoch < epoch:
            held.close(1000, "superseded")
        self.router.taken(charger, epoch, by)

    def handed_over(self, charger: ChargerId, epoch: int) -> None:
        self.router.handed_over(charger, epoch)

    async def later(self, kind: str, charger: ChargerId, payload: bytes) -> None:
        assert kind == KIND
        await self.router.time_is_up(charger, payload.decode())


class RoutingNode(Node):
    """A node with a router; `told` is what its adapter was told of commands that waited."""

    def __init__(self, url: str, name: str, **options: Any) -> None:
        super().__init__(url, name, **options)
        self.hooks = hooks = RouterHooks(name)
        self.name = name
        self.told: list[tuple[CommandResult, dict[str, str]]] = []
        cluster = self.cluster
        hooks.router = self.router = Router(
            node=name,
            clock=SystemClock(),
            state=cluster.state,
            commands=cluster.commands,
            queue=cluster.queue,
            mailboxes=cluster.mailboxes,
            observer=self.counts,
        )
        self.router.through("mqtt", lambda result, reply: self.told.append((result, reply)))
        self._routing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await super().start()
        self._routing = asyncio.create_task(self.router.run())

    async def die(self) -> None:
        """Stop at once; what was under way is not told to anybody."""
        if self._routing is not None:
            self.cluster.commands.finish = _never  # type: ignore[method-assign,assignment]
            self._routing.cancel()
            await asyncio.sleep(0)
            self._routing = None
        await super().die()

    async def hold(self, charger: ChargerId = CP1, **options: Any) -> "HeldCharger":
        """Have a charger connect here."""
        claim = await self.cluster.ownership.claim(charger)
        epoch = claim.epoch
        await self.cluster.log.commit(Commit(charger, epoch, [], fields={"charger": b"{}", "availability": b"online"}))
        held = HeldCharger(self, charger, epoch, **options)
        older = self.router.attach(held, previous=claim.previous_node)
        if older is not None:
            older.close(1000, "superseded")
        return held


async def _never(*_: Any, **__: Any) -> Any:
    await asyncio.Event().wait()


@dataclass(eq=False)
class HeldCharger:
    """A charger whose socket a node holds: carries out one command after the other, and says yes."""

    node: RoutingNode
    charger: ChargerId
    epoch: int
    answers: bool = True
    boots: bool = True
    accepted: bool = True
    sent: list[str] = field(default_factory=list)
    """The ids of the commands that went out to it."""

    def __post_init__(self) -> None:
        self.calling = asyncio.Lock()
        self.may_answer, self.closed, self.ready_now = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.code = 0
        if self.answers:
            self.may_answer.set()
        if self.boots:
            self.ready_now.set()

    async def ready(self) -> bool:
        await self.ready_now.wait()
        return self.accepted

    async def execute(self, command: Command) -> CommandResult:
        wait = [asyncio.ensure_future(self.calling.acquire()), asyncio.ensure_future(self.closed.wait())]
        await asyncio.wait(wait, return_when=asyncio.FIRST_COMPLETED)
        if self.closed.is_set():
            wait[0].cancel()
            away = self.code in (1000, 1012)
            return CommandResult(
                command.id, self.charger, command.name, Outcome.OFFLINE, "the connection was lost", strayed=away
            )
        wait[1].cancel()
        self.sent.append(command.id)
        try:
            async with asyncio.timeout(max(0, command.deadline - time.time())):
                await self.may_answer.wait()
        except TimeoutError:
            return CommandResult(command.id, self.charger, command.name, Outcome.TIMEOUT)
        finally:
            self.calling.release()
        return CommandResult(command.id, self.charger, command.name, Outcome.ACCEPTED, result={"by": self.node.name})

    def close(self, code: int, reason: str) -> None:
        self.code = code
        self.closed.set()
        self.node.router.detach(self)

    async def leave(self, code: int = 1001) -> None:
        """Hang up, and be given up."""
        self.close(code, "gone")
        await self.node.cluster.ownership.release(self.charger, self.epoch)


@asynccontextmanager
async def routing(valkey: Valkey, *names: str, seen: bool = True, **options: Any) -> AsyncIterator[list[RoutingNode]]:
    """Nodes of these names on one Valkey, and a charger CP1 that was seen before."""
    nodes = [RoutingNode(valkey.url, name, **options) for name in names]
    for node in nodes:
        await node.start()
    try:
        if seen:
            await (await nodes[0].hold()).leave()
        yield nodes
    finally:
        for node in nodes:
            await node.stop()


def order(
    number: int | str,
    name: str = "trigger",
    *,
    seconds: float = 60.0,
    queue_for: float | None = None,
    charger: ChargerId = CP1,
    origin: str = "rest",
    **arguments: Any,
) -> Command:
    """A command `c-{number}`."""
    if name == "trigger":
        arguments = {"message": "Heartbeat"}
    now = time.time()
    patience = None if queue_for is None else Patience(now + queue_for, seconds)
    return Command(
        f"c-{number}",
        charger,
        name,
        validated_arguments(name, arguments),
        now + seconds,
        origin,
        patience=patience,
        reply={"topic": f"to/{number}"} if origin == "mqtt" else None,
    )
