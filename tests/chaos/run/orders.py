"""Commands at random chargers, through REST of any node and through MQTT, each with an id of its own."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.chaos.run.chargers import Charger
from tests.chaos.run.recorders import AWAY, Rest
from tests.chaos.subscriber import Subscriber

TIMEOUT = 6.0
LONGEST_WAIT = 15.0
"""Seconds that an order may wait for its charger, at most."""
LOST_AFTER = 60.0
"""Seconds after its deadline at which a command's outcome must be there, whoever has died."""
Way = Literal["rest", "mqtt", "mqtt reply"]


@dataclass(eq=False)
class Order:
    """A command, and every outcome that anybody told of it: who told it, and the outcome."""

    id: str
    charger: str
    name: str
    way: Way
    body: dict[str, Any]
    terms: dict[str, float]
    sent_at: float
    made: bool = False
    """The gateway said that it has it."""
    told: list[tuple[str, str, str | None]] = field(default_factory=list)
    """(by whom, outcome, reason)"""

    @property
    def outcomes(self) -> set[str]:
        return {outcome for _, outcome, _ in self.told}


class Dispatcher:
    """Sends orders until cancelled; `collect` then finds out how each of them ended."""

    def __init__(
        self, rest: Rest, subscriber: Subscriber | None, chargers: Sequence[Charger], seed: str, *, pause: float
    ) -> None:
        self.orders: list[Order] = []
        self._rest, self._subscriber, self._chargers, self._pause = rest, subscriber, chargers, pause
        self._draw = random.Random(f"{seed}/orders")
        self._numbers = itertools.count(1)
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._draw.uniform(0.5, 1.5) * self._pause)
            order = self._drawn()
            self.orders.append(order)
            if order.way == "rest":
                task = asyncio.create_task(self._by_rest(order), name=f"order {order.id}")
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            elif self._subscriber is not None:
                self._by_mqtt(self._subscriber, order)

    def _drawn(self) -> Order:
        draw, number = self._draw, next(self._numbers)
        charger = draw.choice(self._chargers)
        name = draw.choice(["data_transfer", "data_transfer", "trigger", "set_charging_limit", "get_variables"])
        ways: list[Way] = ["rest"] if self._subscriber is None else ["rest", "mqtt", "mqtt reply"]
        order_id = f"order-{number}"
        bodies: dict[str, dict[str, Any]] = {
            # Tells its id, so that what reaches the charger can be counted.
            "data_transfer": {"vendor_id": "chaos", "message_id": order_id, "data": "hello"},
            "trigger": {"message": "Heartbeat"},
            "set_charging_limit": {"current_a": draw.randint(6, 32), "evse_id": 1},
            "get_variables": {
                "variables": [{"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}],
            },
        }
        terms = {"timeout": TIMEOUT}
        if draw.random() < 1 / 3:
            terms["queue_for"] = round(draw.uniform(1.0, LONGEST_WAIT), 1)
        return Order(order_id, charger.identity, name, draw.choice(ways), bodies[name], terms, time.monotonic())

    # ------------------------------------------------------------ sending

    def _by_mqtt(self, subscriber: Subscriber, order: Order) -> None:
        reply = "ocpp/reply/chaos" if order.way == "mqtt reply" else None
        subscriber.publish(
            f"ocpp/chargers/{order.charger}/command/{order.name}",
            {**order.body, "id": order.id, **order.terms},
            response_topic=reply,
            correlation=order.id.encode(),
            wait=False,
        )

    async def _by_rest(self, order: Order) -> None:
        """POST it, and again under the same key where the answer got lost."""
        path = f"/v1/chargers/{order.charger}/commands/{order.name}"
        wait = self._draw.choice([0, 2, 8])
        for _ in range(self._draw.randint(1, 4)):
            node = self._draw.randrange(2)
            answer = await self._rest.once(
                "POST",
                path,
                node=node,
                params={**order.terms, "wait": wait},
                headers={"Idempotency-Key": order.id},
                json=order.body,
            )
            if answer is None or answer[0] in AWAY or answer[0] == 409:
                await asyncio.sleep(self._draw.uniform(0.2, 1.0))
                continue
            status, body = answer
            if status in (200, 202):
                order.made = True
            if status == 200:
                order.told.append((f"POST at node-{node + 1}", body["outcome"], body["reason"]))
            elif status not in (202, 404):
                order.told.append((f"POST at node-{node + 1}", f"HTTP {status}", str(body)))
            return

    # ------------------------------------------------------------ how they ended

    async def settled(self) -> None:
        """Wait until nobody waits for an answer any more."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def collect(self, *, until: float) -> list[Order]:
        """Ask for every order's outcome; returns those that have none by `until` (monotonic), of those that exist."""
        self._note_results()
        open_orders = list(self.orders)
        while open_orders:
            left = []
            for order in open_orders:
                status, body = await self._rest.get(f"/v1/commands/{order.id}")
                if status == 404:
                    if order.made:
                        order.told.append(("GET", "forgotten", None))
                elif body.get("outcome") is None:
                    left.append(order)
                else:
                    order.told.append(("GET", body["outcome"], body["reason"]))
            open_orders = left
            if not left or time.monotonic() > until:
                break
            await asyncio.sleep(1.0)
        self._note_results()
        return open_orders

    def _note_results(self) -> None:
        if self._subscriber is None:
            return
        by_id = {order.id: order for order in self.orders}
        for order in self.orders:
            order.told = [one for one in order.told if one[0] != "MQTT"]
        for heard in list(self._subscriber.heard):
            if "/result/" not in heard.topic and not heard.topic.startswith("ocpp/reply/"):
                continue
            result = json.loads(heard.payload)
            meant = by_id.get(result.get("id"))
            if meant is not None:
                meant.told.append(("MQTT", result["outcome"], result["reason"]))
