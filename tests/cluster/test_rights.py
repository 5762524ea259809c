"""The Redis user of deploy/redis/users.acl may do what is needed; what is missing is told by name."""

import asyncio
import re
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from gateway.cluster.rights import _PROBES
from gateway.core.errors import ConfigurationError
from tests.cluster.support import CP1, Node, eventually, message, running
from tests.support.acl import FOLDER, admin, login, refusals, users
from tests.support.servers import RedisServer, Valkey


@pytest.fixture(params=[Valkey, RedisServer])
def guarded(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Valkey]:
    """A server that knows the users of deploy/redis."""
    if request.param is RedisServer and shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    server: Valkey = request.param(tmp_path / "v", "--aclfile", str(users(tmp_path)))
    server.start()
    yield server
    server.stop()


async def test_the_committed_user_has_every_right_that_is_tried_at_the_start_and_no_other(guarded: Valkey) -> None:
    async with running(login(guarded), wait_for_replicas=0) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        assert await node.cluster.log.commit(message(CP1, epoch, 1)) is None
        assert refusals(guarded) == []
        replies = await node.cluster._lane.tries(
            [("FLUSHALL",), ("CONFIG", "GET", "*"), ("KEYS", "*"), ("GET", "other"), ("EVAL", "return 1", 1, "x")],
            at="",
        )
        assert all("permission" in str(reply) for reply in replies)


def test_every_command_of_a_script_is_tried_and_granted() -> None:
    source = "".join(
        path.read_text() for path in files("gateway.cluster.scripts").iterdir() if path.name.endswith(".lua")
    )
    used = set(re.findall(r"call\('([A-Z]+)'", source)) - {"TIME"}
    assert len(used) > 15
    assert used <= {probe[0] for probe in _PROBES}
    granted = (FOLDER / "users.acl").read_text().split()
    assert {f"+{str(probe[0]).lower()}" for probe in _PROBES} <= set(granted)


@pytest.mark.parametrize(
    ("without", "instead", "told"),
    [
        ("+xadd", "", r"at 127\.0\.0\.1:\d+ refuses xadd: .*deploy/redis/users\.acl"),
        ("+evalsha", "", r"refuses evalsha: "),
        ("+wait", "", r"refuses wait: "),
        ("+info", "", r"the Redis user lacks a right .*info"),
        ("~ocpp:*", "~other:*", r"refuses the keys ocpp:\*: "),
    ],
)
async def test_a_missing_right_is_told_by_name_at_the_start(
    tmp_path: Path, without: str, instead: str, told: str
) -> None:
    server = Valkey(tmp_path / "v", "--aclfile", str(users(tmp_path, without=without, instead=instead)))
    server.start()
    try:
        with pytest.raises(ConfigurationError, match=told):
            async with asyncio.timeout(60):
                await Node(login(server), wait_for_replicas=1).start()
    finally:
        server.stop()


async def test_a_right_that_is_lost_holds_commits_until_it_is_back(guarded: Valkey) -> None:
    """As on a replica that took over and never was given the users."""
    async with running(login(guarded)) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        with admin(guarded) as client:
            client.execute_command("ACL", "SETUSER", "gateway", "-xadd")
            waiting = asyncio.create_task(node.cluster.log.commit(message(CP1, epoch, 1)))
            check = await eventually(
                lambda: (found := node.health.checks().get("log")) and found.level != "ok" and found
            )
            assert "lacks a right" in check.detail
            # Redis 7.0 names the line of the script, and no command.
            assert "xadd" in check.detail.lower() or isinstance(guarded, RedisServer)
            assert not waiting.done()
            client.execute_command("ACL", "SETUSER", "gateway", "+xadd")
            assert await asyncio.wait_for(waiting, 60) is None
            await eventually(lambda: node.health.level() == "ok")
            ids = [fields[b"i"] for key in client.keys("ocpp:{s*}:log") for _, fields in client.xrange(key)]
    assert ids == [b"event-1"]


async def test_a_wrong_password_is_told_as_such(guarded: Valkey) -> None:
    node = Node(login(guarded).replace("a-password", "another"))
    starting = asyncio.create_task(node.start())
    check = await eventually(lambda: node.health.checks().get("redis"))
    assert "refuses the user name or password" in check.detail
    assert "another" not in check.detail
    starting.cancel()
    await asyncio.wait([starting])
