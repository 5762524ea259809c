import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import redis.asyncio

from gateway.core.errors import EmbeddedServerError
from gateway.embedded import valkey as module
from gateway.embedded.valkey import EmbeddedValkey
from tests.embedded.support import eventually, server_pids


async def test_answers_on_a_unix_socket_in_a_private_folder(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    url = await server.start()
    try:
        async with redis.asyncio.Redis.from_url(url) as client:
            assert await client.ping()
            assert (await client.config_get("appendfsync"))["appendfsync"] == "always"
            assert (await client.config_get("port"))["port"] == "0"
    finally:
        await server.stop()
    assert url.startswith("unix:///")
    assert stat.S_IMODE((tmp_path / "valkey").stat().st_mode) == 0o700


async def test_data_survives_a_restart(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    async with redis.asyncio.Redis.from_url(await server.start()) as client:
        await client.set("key", "value")
    await server.stop()
    assert not server_pids(tmp_path)
    async with redis.asyncio.Redis.from_url(await server.start()) as client:
        assert await client.get("key") == b"value"
    await server.stop()


async def test_a_path_too_long_for_a_socket_gets_a_short_one(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / ("long" * 25) / "with space")
    url = await server.start()
    async with redis.asyncio.Redis.from_url(url) as client:
        assert await client.ping()
    await server.stop()
    assert not Path(url.removeprefix("unix://").partition("?")[0]).parent.exists()


async def test_a_socket_path_is_quoted_in_the_url(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "50% of #1")
    async with redis.asyncio.Redis.from_url(await server.start()) as client:
        assert await client.ping()
    await server.stop()


async def test_a_second_gateway_on_the_same_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = EmbeddedValkey(tmp_path), EmbeddedValkey(tmp_path)
    url = await first.start()
    monkeypatch.setattr(module, "_LOCK_PATIENCE", 0.1)
    with pytest.raises(EmbeddedServerError, match=f"another gateway uses this data folder.*process {os.getpid()}"):
        await second.start()
    async with redis.asyncio.Redis.from_url(url) as client:
        assert await client.ping()
    await first.stop()


async def test_an_unexpected_end_is_noticed_and_the_server_starts_again(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    async with redis.asyncio.Redis.from_url(await server.start()) as client:
        await client.set("key", "value")
        pid = (await client.info("server"))["process_id"]
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        assert await server.wait_died() == 128 + signal.SIGKILL
    async with redis.asyncio.Redis.from_url(await server.start()) as client:
        assert await client.get("key") == b"value"
    await server.stop()


async def test_a_killed_guard_leaves_no_server_behind(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    async with redis.asyncio.Redis.from_url(await server.start()) as client:
        pid = (await client.info("server"))["process_id"]
    guard = psutil.Process(pid).parent()
    assert guard is not None
    guard.kill()
    async with asyncio.timeout(60):
        await server.wait_died()
    assert eventually(lambda: not psutil.pid_exists(pid))
    await server.start()
    await server.stop()


async def test_says_why_it_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "valkey" / "appendonlydir").mkdir(parents=True)
    manifest = tmp_path / "valkey" / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_text("nonsense\n")
    with pytest.raises(EmbeddedServerError, match=r"(?s)the embedded Valkey did not start:.*manifest"):
        await EmbeddedValkey(tmp_path).start()
    assert not server_pids(tmp_path)


async def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedServerError, match=r"cannot use .* for data.*gateway\.data_dir"):
        await EmbeddedValkey(tmp_path / "file").start()


async def test_ctrl_c_at_the_terminal_does_not_reach_it(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    url = await server.start()
    async with redis.asyncio.Redis.from_url(url) as client:
        pid = (await client.info("server"))["process_id"]
    assert os.getsid(pid) != os.getsid(0)
    await server.stop()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_both_servers_end_with_a_parent_that_dies(tmp_path: Path, number: signal.Signals, port: int) -> None:
    command = [sys.executable, "-m", "tests.embedded.parent", str(tmp_path), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert any(line.startswith(b"[") for line in parent.stdout)
        assert len(server_pids(tmp_path) - {parent.pid}) == 4
        parent.send_signal(number)
    asyncio.run(_use_once(EmbeddedValkey(tmp_path)))  # A successor may come at once: it waits for the last to end.
    assert eventually(lambda: not server_pids(tmp_path))


async def _use_once(server: EmbeddedValkey) -> None:
    async with redis.asyncio.Redis.from_url(await server.start()) as client:
        assert await client.ping()
    await server.stop()
