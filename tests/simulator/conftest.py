"""A CSMS of each version."""

from collections.abc import AsyncIterator

import pytest

from tests.simulator.csms import FakeCsms


@pytest.fixture(params=["1.6", "2.0.1", "2.1"])
async def csms(request: pytest.FixtureRequest) -> AsyncIterator[FakeCsms]:
    async with FakeCsms(request.param) as server:
        yield server
        assert server.problems == []
