"""A node that was paused, or starved, must not answer for chargers that have gone to others meanwhile."""

import asyncio
import time

import pytest
from websockets.exceptions import ConnectionClosed

from gateway.chargers import sleeping
from gateway.chargers.sleeping import SLEPT
from gateway.core.identity import ChargerId
from tests.chargers.harness import running


async def test_a_node_that_slept_answers_the_heartbeat_of_a_charger_that_stayed_and_of_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A heartbeat makes no event: without a commit of its own nothing would show whose the charger is by now."""
    monkeypatch.setattr(sleeping, "SLEPT", SLEPT)
    async with running() as node, node.charger("MOVED") as moved, node.charger("STAYED") as stayed:
        claim = await node.store.claim(ChargerId("MOVED"))
        loop = asyncio.get_running_loop()
        loop.call_soon(time.sleep, SLEPT + 0.5)
        # Both are written before this task yields, and so before the loop, and with it the node, falls asleep.
        await moved.post("Heartbeat", {})
        await stayed.post("Heartbeat", {}, "alive")
        assert (await stayed.receive())[:2] == [3, "alive"]
        assert await moved.closed() == 1000
        with pytest.raises(ConnectionClosed):
            await moved.receive()
        assert node.store.epochs[ChargerId("MOVED")] == claim.epoch
        assert "charger.disconnected" not in node.types("MOVED")
        assert (await stayed.call("Heartbeat", {}))["currentTime"]
