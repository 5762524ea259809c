"""A charger takes a new password by a command: it is stored before the command ends."""

import asyncio

from gateway.core.commands import Outcome
from gateway.core.identity import ChargerId
from tests.chargers.harness import running

CP1 = ChargerId("CP1")
KEY = {"key": "AuthorizationKey", "value": "4F4341"}


async def test_what_a_charger_took_is_stored_even_where_redis_is_away_for_a_moment() -> None:
    async with running() as node, node.charger() as charger:
        node.store.passwords[CP1] = b"old"
        command = asyncio.create_task(node.execute("call/ChangeConfiguration", KEY))
        message_id, _, _ = await charger.called()
        node.store.available.clear()
        await charger.answer(message_id, {"status": "Accepted"})
        await asyncio.wait([command], timeout=0.05)
        assert not command.done()
        node.store.available.set()
        assert (await command).outcome is Outcome.ACCEPTED
        assert node.store.passwords[CP1] == b"OCA"


async def test_a_charger_without_a_password_gets_none() -> None:
    async with running() as node, node.charger() as charger:
        command = asyncio.create_task(node.execute("call/ChangeConfiguration", KEY))
        message_id, _, _ = await charger.called()
        await charger.answer(message_id, {"status": "Accepted"})
        assert (await command).outcome is Outcome.ACCEPTED
        assert CP1 not in node.store.passwords
