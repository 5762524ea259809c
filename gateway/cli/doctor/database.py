"""Redis or Valkey: is it there, new enough, durable, and may we do there what we must?"""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from gateway.cli.doctor.findings import Finding, Findings
from gateway.cluster.api_keys import StoredApiKeys
from gateway.cluster.config import ClusterConfig
from gateway.cluster.keys import SHARDS
from gateway.cluster.lane import Lane
from gateway.cluster.link import Link
from gateway.cluster.rights import check_rights
from gateway.cluster.startup import account, shortcomings, too_old
from gateway.config import Settings
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigurationError, EmbeddedServerError, LogUnavailable
from gateway.core.health import HealthBoard
from gateway.embedded.valkey import EmbeddedValkey
from gateway.metrics import PrometheusObserver

_REDIS = Findings("redis")


@dataclass(frozen=True, slots=True)
class Database:
    """The gateway's database, connected."""

    lane: Lane
    link: Link

    @property
    def keys(self) -> StoredApiKeys:
        return StoredApiKeys(self.lane, clock=SystemClock())

    async def ahead(self) -> float:
        """Seconds that its clock is ahead of this machine's. Raises LogUnavailable."""
        began = time.time()
        (theirs,) = await self.lane.times([SHARDS])
        return theirs / 1000 - (began + time.time()) / 2


@contextlib.asynccontextmanager
async def opened(config: ClusterConfig) -> AsyncIterator[Database]:
    """The database that a URL names. Raises ConfigurationError for a URL that cannot be used."""
    link = Link(config, node="doctor", health=HealthBoard(), observer=PrometheusObserver())
    link.open()
    lane = Lane(link)
    carrying = asyncio.create_task(lane.run(), name="doctor: redis")
    await asyncio.sleep(0)
    try:
        yield Database(lane, link)
    finally:
        carrying.cancel()
        await asyncio.wait([carrying])


def embedded_url(data_dir: Path) -> str | None:
    """The URL of the embedded Valkey of a gateway that runs on this folder; None where this user finds none."""
    socket = data_dir.absolute() / "valkey" / "valkey.sock"
    try:
        return f"unix://{quote(str(socket))}?db=0" if socket.is_socket() else None
    except OSError:
        return None


async def examine_database(database: Database, config: ClusterConfig) -> AsyncIterator[Finding]:
    """What is wrong with a database that a gateway is to use, or uses."""
    try:
        began = time.monotonic()
        infos = {address: account(reply) for address, reply in (await database.lane.each("INFO")).items()}
        milliseconds = round((time.monotonic() - began) * 1000)
    except LogUnavailable as error:
        yield _REDIS.problem(
            f"cannot be used at {database.link.address}: {error}",
            "start it, or mend [redis] url (REDIS_URL), its password, or the firewall between; without a URL the "
            "gateway brings a Valkey of its own",
        )
        return
    except ConfigurationError as error:
        yield _REDIS.problem(str(error), "give its user the rights of deploy/redis/users.acl")
        return
    for address, info in infos.items():
        version = info.get("valkey_version") or info.get("redis_version", "of an unknown version")
        name = "Valkey" if "valkey_version" in info else "Redis"
        if too_old(info):
            yield _REDIS.problem(f"{name} {version} at {address} is too old", "6.2 or newer, or Valkey, is needed")
            continue
        yield _REDIS.ok(f"{name} {version} at {address} answers in {milliseconds} ms")
        gaps = shortcomings(info)
        for gap in gaps:
            yield _REDIS.warning(f"{address}: {gap.told}", gap.remedy)
        if not gaps:
            yield _REDIS.ok("it keeps what it is given: an append-only file, and noeviction")
    async for finding in _examine_rights(database, config):
        yield finding


async def _examine_rights(database: Database, config: ClusterConfig) -> AsyncIterator[Finding]:
    try:
        await check_rights(database.lane, database.link, node="doctor", waits=config.wait_for_replicas > 0)
        yield _REDIS.ok("the gateway may do there all that it does")
    except (ConfigurationError, LogUnavailable) as error:
        yield _REDIS.problem(str(error), "give its user the rights of deploy/redis/users.acl")


async def try_embedded() -> Finding:
    """Start the embedded Valkey in a folder of its own and end it: does it work on this machine?"""
    with tempfile.TemporaryDirectory(prefix="ocpp-gateway-doctor-") as folder:
        server = EmbeddedValkey(Path(folder))
        try:
            await server.start()
        except EmbeddedServerError as error:
            return _REDIS.problem(
                f"the embedded Valkey does not start on this machine: {error}",
                "install Redis or Valkey (apt install redis-server), and set REDIS_URL=redis://127.0.0.1:6379/0",
            )
        finally:
            await server.stop()
    return _REDIS.ok("none is configured: the gateway starts the embedded Valkey, which works on this machine")


def hidden(settings: Settings) -> Finding:
    """A gateway runs, and its embedded Valkey cannot be found."""
    return _REDIS.warning(
        f"the running gateway's embedded Valkey cannot be asked in {settings.gateway.data_dir}",
        "run the doctor as the gateway's user, with its configuration and data folder (sudo; docker exec)",
    )
