"""A port for each broker that no outgoing connection will be given."""

import pytest

from tests.support.servers import free_port


@pytest.fixture
def port() -> int:
    return free_port()
