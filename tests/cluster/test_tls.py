"""Redis over TLS, with a CA of one's own and a certificate that the gateway shows."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.cluster.config import ClusterConfig
from gateway.core.errors import ConfigurationError
from tests.cluster.support import CP1, Node, eventually, message, running
from tests.support.servers import RedisServer, Server, free_port


class TlsRedis(RedisServer):
    """Redis that speaks TLS only, and with clients that show a certificate of the CA only."""

    def __init__(self, folder: Path, certificates: Path, *options: str) -> None:
        super().__init__(folder)
        files = {"tls-ca-cert-file": "ca.pem", "tls-cert-file": "own.pem", "tls-key-file": "own.key"}
        given = [part for name, file in files.items() for part in (f"--{name}", str(certificates / file))]
        self.options = (*given, *options)

    def command(self) -> list[str]:
        command = super().command()
        command[command.index("--port") : command.index("--port") + 2] = ["--port", "0", "--tls-port", str(self.port)]
        return command


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


def _take_all_slots(server: Server, certificates: Path) -> None:
    tls = ("--tls", "--cacert", "ca.pem", "--cert", "own.pem", "--key", "own.key")
    command = ["redis-cli", "-p", str(server.port), *tls, "CLUSTER", "ADDSLOTSRANGE", "0", "16383"]
    subprocess.run(command, cwd=certificates, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, and own.pem with own.key for 127.0.0.1, signed by it."""
    if shutil.which("openssl") is None or shutil.which("redis-server") is None:
        pytest.skip("openssl or redis-server is not installed (apt-get install openssl redis-server)")
    folder = tmp_path_factory.mktemp("certificates")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    _openssl(folder, "req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2")
    _openssl(folder, "req", *new, "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    sign = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
    _openssl(folder, "x509", "-req", "-in", "own.csr", "-out", "own.pem", *sign)
    return folder


@pytest.fixture
def tls_redis(tmp_path: Path, certificates: Path) -> Iterator[Server]:
    server = TlsRedis(tmp_path / "r", certificates)
    server.start()
    yield server
    server.stop()


def files(certificates: Path) -> dict[str, Path]:
    return {
        "ca_file": certificates / "ca.pem",
        "certificate": certificates / "own.pem",
        "key": certificates / "own.key",
    }


async def test_both_sides_show_certificates(tls_redis: Server, certificates: Path) -> None:
    async with running(f"rediss://localhost:{tls_redis.port}/0", **files(certificates)) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        assert await node.cluster.log.commit(message(CP1, epoch, 1)) is None


async def test_a_cluster_is_reached_over_tls(tmp_path: Path, certificates: Path) -> None:
    cluster = ("--cluster-enabled", "yes", "--tls-cluster", "yes", "--cluster-port", str(free_port()))
    server = TlsRedis(tmp_path / "c", certificates, *cluster, "--cluster-node-timeout", "1000")
    server.start()
    try:
        _take_all_slots(server, certificates)
        async with running(f"rediss+cluster://127.0.0.1:{server.port}", **files(certificates)) as node:
            epoch = (await node.cluster.ownership.claim(CP1)).epoch
            assert await node.cluster.log.commit(message(CP1, epoch, 1)) is None
    finally:
        server.stop()


@pytest.mark.parametrize(("without", "told"), [("ca_file", "certificate verify failed"), ("certificate", "")])
async def test_a_missing_certificate_is_told(tls_redis: Server, certificates: Path, without: str, told: str) -> None:
    given = files(certificates)
    del given[without]
    if without == "certificate":
        del given["key"]
    node = Node(f"rediss://localhost:{tls_redis.port}/0", **given)
    starting = asyncio.create_task(node.start())
    check = await eventually(lambda: node.health.checks().get("redis"))
    assert check.level == "degraded"
    assert told in check.detail.lower()
    starting.cancel()
    await asyncio.wait([starting])


async def test_a_file_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\[redis\] names a file that is not there: .*absent\.pem"):
        await Node("rediss://localhost/0", ca_file=tmp_path / "absent.pem").start()


def test_certificate_and_key_go_together(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="go together"):
        ClusterConfig(url="rediss://localhost", certificate=tmp_path / "own.pem")
