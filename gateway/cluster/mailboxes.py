"""Messages between nodes: a stream per node, read by one blocking connection.

A command in a mailbox belongs to whoever deletes it first: the node that carries it out, or the sender who withdraws
it at its deadline. So `offline` is certain, and a command is never carried out after it was withdrawn.
"""

import asyncio
import json
import secrets
from typing import Any

import structlog
from redis.exceptions import RedisError

from gateway.cluster.backoff import Backoff
from gateway.cluster.hooks import NodeHooks
from gateway.cluster.keys import mailbox_key
from gateway.cluster.lane import Lane
from gateway.cluster.link import Link
from gateway.cluster.wire import Wire, explained, pack
from gateway.core.clock import Clock
from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.errors import LogUnavailable
from gateway.core.identity import ChargerId

log = structlog.get_logger(__name__)

_BLOCK_SECONDS = 5.0
_MOST_MESSAGES = 10_000
_MOST_AT_WORK = 1_000
_KEPT_SECONDS = 3_600
_RESULT_GRACE = 1.0
"""Seconds for a result that was made at the deadline to come back."""


class NodeMailboxes:
    """The Mailboxes of this node, and the reader of its own."""

    def __init__(self, link: Link, lane: Lane, *, node: str, clock: Clock) -> None:
        self._link, self._lane, self._node, self._clock = link, lane, node, clock
        self._calls: dict[str, asyncio.Future[CommandResult]] = {}
        self._at_work = 0
        self._hooks: NodeHooks | None = None

    # ------------------------------------------------------------ sending

    async def call(self, node: str, command: Command, *, deadline: float) -> CommandResult:
        """Have another node carry out a command; see Mailboxes. `deadline` is Unix seconds."""
        call_id = secrets.token_hex(8)
        future: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
        self._calls[call_id] = future
        try:
            return await self._call(node, call_id, command, deadline, future)
        except LogUnavailable as error:
            # The message, or its withdrawal, may or may not have arrived.
            return _ended(command, Outcome.TIMEOUT, f"Redis cannot be reached: {error}")
        finally:
            del self._calls[call_id]

    async def _call(
        self, node: str, call_id: str, command: Command, deadline: float, future: asyncio.Future[CommandResult]
    ) -> CommandResult:
        letter = {**_as_dict(command), "call": call_id, "reply_to": self._node, "deadline": deadline}
        position = await self._send(node, "command", letter)
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock.now())):
                return await asyncio.shield(future)
        except TimeoutError:
            pass
        if await self._lane.call("XDEL", mailbox_key(node), position):
            return _ended(command, Outcome.OFFLINE, "the charger's node did not take the command in time")
        try:
            async with asyncio.timeout(_RESULT_GRACE):
                return await future
        except TimeoutError:
            return _ended(command, Outcome.TIMEOUT, "the charger's node gave no result in time")

    async def settle(self, node: str) -> None:
        """Withdraw what a dead node has not read, and tell the senders that nothing came of it. Raises LogUnavailable.

        The mailbox itself stays until it expires: a command that comes late can then still be withdrawn by its sender.
        """
        key = mailbox_key(node)
        while messages := await self._lane.call("XRANGE", key, "-", "+", "COUNT", 100):
            claims = await self._lane.calls([("XDEL", key, position) for position, _ in messages])
            for (_, fields), claimed in zip(messages, claims, strict=True):
                if claimed:
                    await self._settle(fields[1], json.loads(fields[3]))

    async def _settle(self, kind: bytes, letter: dict[str, Any]) -> None:
        if kind == b"command":
            await self._answer(letter, _unsent(_from_dict(letter), "the charger's node is dead"))
        elif kind == b"superseded":
            await self.tell_handed_over(letter["by"], ChargerId.from_key(letter["charger"]), letter["epoch"])

    async def tell_superseded(self, node: str, charger: ChargerId, epoch: int) -> None:
        """Tell a node that a newer connection owns a charger. Where that fails its next commit will be refused."""
        if node == self._node:
            if self._hooks is not None:
                self._hooks.superseded(charger, epoch, self._node)
            return
        try:
            await self._send(node, "superseded", {"charger": charger.key, "epoch": epoch, "by": self._node})
        except LogUnavailable as error:
            log.info("the previous owner was not told", charger=str(charger), node=node, problem=str(error))

    async def tell_waiting(self, node: str, charger: ChargerId) -> None:
        """Tell the node that holds a charger that a command waits for it."""
        await self._tell(node, "waiting", {"charger": charger.key})

    async def tell_handed_over(self, node: str, charger: ChargerId, epoch: int) -> None:
        """Tell the node that took a charger under this epoch that nothing more comes from here."""
        await self._tell(node, "handed_over", {"charger": charger.key, "epoch": epoch})

    async def tell_ended(self, node: str, command_id: str) -> None:
        """Tell the node that a command was given on that it has ended."""
        await self._tell(node, "ended", {"command": command_id})

    async def _tell(self, node: str, kind: str, letter: dict[str, Any]) -> None:
        """Send what is a help, and no loss: a command that waits ends at its time, and its end can be looked up."""
        try:
            await self._send(node, kind, letter)
        except LogUnavailable as error:
            log.info("a node was not told", node=node, what=kind, problem=str(error))

    async def _send(self, node: str, kind: str, letter: dict[str, Any]) -> bytes:
        key = mailbox_key(node)
        position, _ = await self._lane.calls(
            [
                ("XADD", key, "MAXLEN", "~", _MOST_MESSAGES, "*", "kind", kind, "letter", json.dumps(letter)),
                ("EXPIRE", key, _KEPT_SECONDS),
            ]
        )
        return bytes(position)

    # ------------------------------------------------------------ receiving

    async def run(self, hooks: NodeHooks) -> None:
        """Read this node's mailbox until cancelled."""
        self._hooks = hooks
        wire, backoff, position = Wire(self._link, key=mailbox_key(self._node)), Backoff(), "0-0"
        read = ("XREAD", "COUNT", 100, "BLOCK", int(_BLOCK_SECONDS * 1000), "STREAMS", mailbox_key(self._node))
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    try:
                        (reply,) = await wire.exchange([pack((*read, position))], seconds=2 * _BLOCK_SECONDS)
                        if isinstance(reply, RedisError):
                            log.error("the mailbox cannot be read", problem=explained(reply))
                            await backoff.wait()
                            continue
                        if isinstance(reply, list):
                            position = await self._open(reply[0][1], tasks)
                        backoff.reset()
                    except LogUnavailable:
                        # An emptied database begins its streams anew.
                        position = "0-0"
                        await backoff.wait()
        finally:
            self._hooks = None
            await wire.close()

    async def _open(self, messages: list[Any], tasks: asyncio.TaskGroup) -> str:
        """Claim messages by deleting them, and act on those that were ours."""
        key = mailbox_key(self._node)
        room = _MOST_AT_WORK - self._at_work
        claims = await self._lane.calls([("XDEL", key, position) for position, _ in messages])
        for (_, fields), claimed in zip(messages, claims, strict=True):
            if not claimed:
                continue
            letter = json.loads(fields[3])
            if fields[1] != b"command":
                self._received(fields[1], letter)
            elif room > 0:
                room -= 1
                self._at_work += 1
                tasks.create_task(self._work(letter), name=f"mailbox command {letter['id']}")
            else:
                tasks.create_task(self._answer(letter, _busy(letter)), name=f"refuse command {letter['id']}")
        return str(messages[-1][0].decode())

    def _received(self, kind: bytes, letter: dict[str, Any]) -> None:
        if kind == b"superseded" and self._hooks is not None:
            self._hooks.superseded(ChargerId.from_key(letter["charger"]), letter["epoch"], letter["by"])
        elif kind == b"result":
            future = self._calls.get(letter["call"])
            if future is not None and not future.done():
                result = CommandResult.from_dict(letter["result"], ChargerId.from_key(letter["charger"]))
                result.strayed = letter.get("strayed", False)
                future.set_result(result)
        elif self._hooks is not None and kind == b"waiting":
            self._hooks.deliver(ChargerId.from_key(letter["charger"]))
        elif self._hooks is not None and kind == b"handed_over":
            self._hooks.handed_over(ChargerId.from_key(letter["charger"]), letter["epoch"])
        elif self._hooks is not None and kind == b"ended":
            self._hooks.heard_of_end(letter["command"])

    async def _work(self, letter: dict[str, Any]) -> None:
        command = _from_dict(letter)
        try:
            if self._clock.now() >= command.deadline:
                result = _ended(command, Outcome.OFFLINE, "the deadline had passed")
            elif self._hooks is None:
                result = _unsent(command, "the node stops")
            else:
                result = await self._hooks.execute_here(command)
        except Exception:
            # Raised in the TaskGroup, a bug in one command would end this node with all its chargers.
            log.exception("command failed", command=command.name, id=command.id, charger=str(command.charger))
            result = _ended(command, Outcome.TIMEOUT, "the gateway failed while carrying it out")
        finally:
            self._at_work -= 1
        await self._answer(letter, result)

    async def _answer(self, letter: dict[str, Any], result: CommandResult) -> None:
        answer = {
            "call": letter["call"],
            "charger": letter["charger"],
            "result": result.as_dict(),
            "strayed": result.strayed,
        }
        try:
            await self._send(letter["reply_to"], "result", answer)
        except LogUnavailable as error:
            log.warning("a command's result did not reach its sender", command=letter["id"], problem=str(error))


def _as_dict(command: Command) -> dict[str, Any]:
    return {
        "id": command.id,
        "charger": command.charger.key,
        "name": command.name,
        "arguments": command.arguments,
        "origin": command.origin,
    }


def _from_dict(letter: dict[str, Any]) -> Command:
    charger = ChargerId.from_key(letter["charger"])
    return Command(
        letter["id"], charger, letter["name"], letter["arguments"], letter["deadline"], letter.get("origin", "")
    )


def _busy(letter: dict[str, Any]) -> CommandResult:
    return _ended(_from_dict(letter), Outcome.OFFLINE, "the charger's node has too many commands under way")


def _unsent(command: Command, reason: str) -> CommandResult:
    """The end of a command that was not taken by a node that goes; the charger will come back elsewhere."""
    return CommandResult(command.id, command.charger, command.name, Outcome.OFFLINE, reason, strayed=True)


def _ended(command: Command, outcome: Outcome, reason: str) -> CommandResult:
    return CommandResult(command.id, command.charger, command.name, outcome, reason)
