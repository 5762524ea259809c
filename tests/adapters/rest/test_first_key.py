"""The first API key is made once and shown once."""

import re

import pytest

from adapters.rest.first_key import ensure_first_key
from tests.adapters.rest.fakes import FakeGateway


async def test_without_any_key_one_is_made_and_shown_and_opens_everything(capfd: pytest.CaptureFixture[str]) -> None:
    keys = FakeGateway().context.api_keys
    for key in await keys.list():
        await keys.revoke(key.id)
    await ensure_first_key(keys, url="http://127.0.0.1:8080")
    shown = capfd.readouterr().err
    secret = re.search(r"Bearer ([^\"]+)\"", shown)
    assert secret is not None
    found = await keys.verify(secret[1])
    assert found is not None
    assert found.scope == "admin"


async def test_a_second_start_makes_and_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    keys = FakeGateway().context.api_keys
    for key in await keys.list():
        await keys.revoke(key.id)
    await keys.create("there already", "read")
    await ensure_first_key(keys, url="http://127.0.0.1:8080")
    assert capfd.readouterr().err == ""
    assert len(await keys.list()) == 1
