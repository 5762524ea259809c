"""`doctor`: look at all that a charger's way to MQTT and REST needs, in that order, and say what to do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from gateway.cli.doctor import broker
from gateway.cli.doctor.certificates import examine_tls
from gateway.cli.doctor.database import Database, embedded_url, examine_database, hidden, opened, try_embedded
from gateway.cli.doctor.findings import Finding, Findings
from gateway.cli.doctor.handshakes import examine_handshakes, examine_keys
from gateway.cli.doctor.machine import examine_clock, examine_disk, is_kept
from gateway.cli.doctor.ports import examine_firewall, examine_port, examine_reach
from gateway.cli.doctor.running import RunningGateway, examine_gateway, running_gateway
from gateway.config import Loaded, Settings, load
from gateway.core.errors import ConfigurationError, LogUnavailable
from gateway.quirk_files import quirk_catalog

_CONFIGURATION = Findings("configuration")

AREA_SECONDS = 60.0
"""How long the checks of one area may take."""


async def diagnosis(
    config: Path | None, overrides: dict[str, dict[str, Any]], *, key: str | None
) -> AsyncIterator[Finding]:
    """Every finding, as it is found. `key` is an API key of scope read."""
    try:
        loaded = load(config, overrides)
        quirk_catalog(loaded.settings.chargers.quirks)
    except ConfigurationError as error:
        yield _CONFIGURATION.problem(str(error), "mend it; ocpp-gateway check-config --defaults explains every option")
        return
    for finding in _of_configuration(loaded):
        yield finding
    examination = _Examination(loaded.settings, await asyncio.to_thread(running_gateway, loaded.settings), key)
    async for finding in examination.run():
        yield finding


def _of_configuration(loaded: Loaded) -> Iterable[Finding]:
    file = loaded.origins.file
    yield _CONFIGURATION.ok(f"{file.path} and the environment" if file else "no file: defaults and the environment")
    for advice in loaded.advice:
        yield _CONFIGURATION.warning(advice, "ocpp-gateway check-config shows what is in effect")


class _Examination:
    """The checks of one configuration."""

    def __init__(self, settings: Settings, running: RunningGateway | None, key: str | None) -> None:
        self._settings, self._running, self._key = settings, running, key
        self._ahead: float | None = None

    async def run(self) -> AsyncIterator[Finding]:
        for finding in examine_gateway(self._running, self._settings):
            yield finding
        async with contextlib.AsyncExitStack() as stack:
            database: Database | None = None
            try:
                database = await self._database(stack)
            except ConfigurationError as error:
                yield Findings("redis").problem(str(error), "mend section [redis] (REDIS_URL)")
            for area, checks in (
                ("redis", self._of_database(database)),
                ("mqtt", self._of_broker()),
                ("ports", self._of_ports()),
                ("machine", self._of_machine()),
                ("handshakes", self._of_access(database)),
            ):
                async for finding in _in_time(area, checks):
                    yield finding

    async def _database(self, stack: contextlib.AsyncExitStack) -> Database | None:
        redis = self._settings.redis
        if redis.url is None:
            url = embedded_url(self._settings.gateway.data_dir) if self._running is not None else None
            if url is None:
                return None
            redis = redis.model_copy(update={"url": url})
        return await stack.enter_async_context(opened(redis))

    async def _of_database(self, database: Database | None) -> AsyncIterator[Finding]:
        if database is None:
            if self._settings.redis.url is None:
                yield hidden(self._settings) if self._running is not None else await try_embedded()
            return
        async for finding in examine_database(database, self._settings.redis):
            yield finding
        with contextlib.suppress(LogUnavailable):
            self._ahead = await database.ahead()

    async def _of_broker(self) -> AsyncIterator[Finding]:
        settings, is_running = self._settings, self._running is not None
        if "mqtt" not in settings.gateway.adapters:
            yield Findings("mqtt").ok("the adapter mqtt is off")
            return
        discovery = settings.homeassistant.discovery_prefix
        if settings.mqtt.url is None and not is_running:
            port = settings.mqtt.embedded_port
            advice = (
                f"stop that program, set [mqtt] embedded_port, or use that broker: MQTT_URL=mqtt://127.0.0.1:{port}"
            )
            checks = examine_port("mqtt", "127.0.0.1", port, is_running=False, option="[mqtt]", advice=advice)
            found = await asyncio.to_thread(list, checks)
            for finding in found:
                yield finding
            if all(finding.level == "ok" for finding in found):
                async for finding in broker.try_embedded():
                    yield finding
            return
        announces = "homeassistant" in settings.gateway.adapters and settings.homeassistant.enabled
        probe = broker.Probe(settings.mqtt, discovery, announces=announces)
        async for finding in probe.run():
            yield finding
        for finding in probe.after(is_running=is_running):
            yield finding
        if self._running is not None and self._running.is_connected("mqtt control") and not probe.seen.probe:
            yield broker.elsewhere()

    async def _of_ports(self) -> AsyncIterator[Finding]:
        chargers, rest, is_running = self._settings.chargers, self._settings.rest, self._running is not None

        def checks() -> Iterable[Finding]:
            yield from examine_port(
                "chargers' port", chargers.host, chargers.port, is_running=is_running, option="[chargers]"
            )
            yield from examine_reach(chargers, is_running=is_running)
            yield from examine_firewall(chargers.port)
            yield from examine_tls(chargers)
            if "rest" in self._settings.gateway.adapters:
                yield from examine_port("rest port", rest.host, rest.port, is_running=is_running, option="[rest]")

        for finding in await asyncio.to_thread(lambda: list(checks())):
            yield finding

    async def _of_machine(self) -> AsyncIterator[Finding]:
        for finding in examine_clock(ahead=self._ahead, kept=is_kept()):
            yield finding
        for finding in examine_disk(self._settings.gateway.data_dir):
            yield finding

    async def _of_access(self, database: Database | None) -> AsyncIterator[Finding]:
        async for finding in examine_keys(self._settings, database):
            yield finding
        if self._running is not None:
            async for finding in examine_handshakes(self._running, self._settings, database, self._key):
                yield finding


async def _in_time(area: str, checks: AsyncIterator[Finding]) -> AsyncIterator[Finding]:
    """An area's findings; where it takes too long, that is one."""
    found: list[Finding] = []

    async def gather() -> None:
        async for finding in checks:
            found.append(finding)  # noqa: PERF401 (what was found is kept where the rest takes too long)

    try:
        async with asyncio.timeout(AREA_SECONDS):
            await gather()
    except TimeoutError:
        found.append(
            Findings(area).problem(f"no answer within {AREA_SECONDS:g} s", "see the lines before, and try again")
        )
    for finding in found:
        yield finding
