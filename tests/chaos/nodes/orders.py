"""Commands at random chargers, over REST of random nodes and over MQTT; how they ended, by all that tell of it."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.chaos.run.recorders import AWAY, Rest
from tests.chaos.subscriber import Subscriber

TIMEOUT = 8.0
LOST_AFTER = 62.0
"""Seconds after its deadline at which a command's outcome must be there, whoever has died."""
REPLY = "ocpp/reply/nodes"
ASKED_AT_ONCE = 8
MQTT, GET = "MQTT", "GET"
Way = Literal["rest", "mqtt", "mqtt reply", "mqtt nameless"]


@dataclass(eq=False)
class Order:
    """A command, and every outcome that anybody told of it. `trace` is what its charger is told; its id is the same,
    but for those over MQTT that have none of their own."""

    trace: str
    charger: str
    way: Way
    raw: bool
    sent: float
    asked: set[int] = field(default_factory=set)
    """The nodes that a client sent it to, over REST."""
    made: bool = False
    """The gateway said that it has it."""
    known: bool | None = None
    """Whether the gateway knew it at the end; None where that was not asked."""
    told: list[tuple[str, str, str | None]] = field(default_factory=list)
    """(by whom, outcome, reason)"""

    @property
    def outcomes(self) -> set[str]:
        return {outcome for _, outcome, _ in self.told}

    def __str__(self) -> str:
        return f"{self.trace} by {self.way} for {self.charger} at {self.sent:.3f}, nodes {sorted(self.asked)}"


class Dispatcher:
    """Sends orders until cancelled, so many a second; `collect` then finds out how each of them ended."""

    def __init__(
        self,
        rest: Rest,
        subscriber: Subscriber,
        chargers: Sequence[str],
        seed: str,
        *,
        nodes: int,
        rate: float,
        nameless: bool,
    ) -> None:
        self.orders: list[Order] = []
        self.took: list[float] = []
        """Seconds that commands over REST took which the charger answered, and whose client waited."""
        self._rest, self._subscriber, self._chargers = rest, subscriber, chargers
        self._nodes, self._rate = nodes, rate
        self._ways: list[Way] = ["rest", "rest", "mqtt", "mqtt reply"]
        if nameless:
            self._ways.append("mqtt nameless")
        self._draw = random.Random(f"{seed}/orders")
        self._numbers = itertools.count(1)
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._draw.uniform(0.5, 1.5) / self._rate)
            order = self._drawn()
            self.orders.append(order)
            if order.way == "rest":
                task = asyncio.create_task(self._by_rest(order), name=f"order {order.trace}")
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            else:
                self._by_mqtt(order)

    def _drawn(self) -> Order:
        draw = self._draw
        trace = f"order-{next(self._numbers)}"
        return Order(trace, draw.choice(self._chargers), draw.choice(self._ways), draw.random() < 0.3, time.time())

    # ------------------------------------------------------------ sending

    @staticmethod
    def _body(order: Order) -> dict[str, Any]:
        if order.raw:
            return {"vendorId": "chaos", "messageId": order.trace, "data": "hello"}
        return {"vendor_id": "chaos", "message_id": order.trace, "data": "hello"}

    @staticmethod
    def _path(order: Order) -> str:
        return "calls/DataTransfer" if order.raw else "commands/data_transfer"

    def _by_mqtt(self, order: Order) -> None:
        terms: dict[str, Any] = {"timeout": TIMEOUT}
        if order.way != "mqtt nameless":
            terms["id"] = order.trace
        body = self._body(order)
        what = "call/DataTransfer" if order.raw else "command/data_transfer"
        self._subscriber.publish(
            f"ocpp/chargers/{order.charger}/{what}",
            {"payload": body, **terms} if order.raw else {**body, **terms},
            response_topic=None if order.way == "mqtt" else REPLY,
            correlation=order.trace.encode(),
            wait=False,
        )

    async def _by_rest(self, order: Order) -> None:
        """POST it, and again under the same key where the answer got lost."""
        wait = self._draw.choice([0, 3, 9])
        for _ in range(self._draw.randint(1, 4)):
            node = self._draw.randrange(self._nodes)
            order.asked.add(node)
            began = time.monotonic()
            answer = await self._rest.once(
                "POST",
                f"/v1/chargers/{order.charger}/{self._path(order)}",
                node=node,
                params={"timeout": TIMEOUT, "wait": wait},
                headers={"Idempotency-Key": order.trace},
                json=self._body(order),
            )
            if answer is None or answer[0] in AWAY or answer[0] == 409:
                await asyncio.sleep(self._draw.uniform(0.2, 1.0))
                continue
            status, body = answer
            order.made = order.made or status in (200, 202)
            if status == 200:
                order.told.append((f"POST at node-{node + 1}", body["outcome"], body["reason"]))
                if body["outcome"] in ("accepted", "rejected"):
                    self.took.append(time.monotonic() - began)
            elif status not in (202, 404):
                order.told.append((f"POST at node-{node + 1}", f"HTTP {status}", str(body)))
            return

    # ------------------------------------------------------------ how they ended

    async def settled(self) -> None:
        """Wait until nobody waits for an answer any more."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def collect(self, *, until: float) -> list[Order]:
        """Ask for every order's outcome; returns those that run still at `until` (monotonic)."""
        left = [order for order in self.orders if order.way != "mqtt nameless"]
        while True:
            left = await self._still_running(left)
            if not left or time.monotonic() > until:
                break
            await asyncio.sleep(1.0)
        self._note_results()
        return left

    async def _still_running(self, orders: Sequence[Order]) -> list[Order]:
        running: list[Order] = []
        waiting = iter(orders)

        async def ask() -> None:
            for order in waiting:
                status, body = await self._rest.get(f"/v1/commands/{order.trace}")
                order.known = status == 200
                if order.known and body["outcome"] is None:
                    running.append(order)
                elif order.known:
                    order.told.append((GET, body["outcome"], body["reason"]))

        await asyncio.gather(*(ask() for _ in range(ASKED_AT_ONCE)))
        return running

    def _note_results(self) -> None:
        """What was heard over MQTT; a nameless one is known by its correlation."""
        by_trace = {order.trace: order for order in self.orders}
        for heard in list(self._subscriber.heard):
            if "/result/" not in heard.topic and heard.topic != REPLY:
                continue
            result = json.loads(heard.payload)
            trace = result["id"] if heard.correlation is None else heard.correlation.decode()
            order = by_trace.get(trace) or by_trace.get(result["id"])
            if order is not None:
                order.told.append((MQTT, result["outcome"], result["reason"]))
