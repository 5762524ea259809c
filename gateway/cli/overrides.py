"""Command-line options that override settings."""

from pathlib import Path
from typing import Any

from gateway.core.errors import ConfigurationError


def overrides(*, listen: str | None, data_dir: Path | None, workers: int | None = None) -> dict[str, dict[str, Any]]:
    """Command-line options as settings. Raises ConfigurationError for an address that cannot be read."""
    settings: dict[str, dict[str, Any]] = {}
    if listen is not None:
        host, _, port = listen.rpartition(":")
        if not port.isdigit():
            raise ConfigurationError(f"--listen wants [HOST:]PORT, not {listen!r}", source="command line")
        settings["chargers"] = {"port": int(port)}
        if host:
            settings["chargers"]["host"] = host.removeprefix("[").removesuffix("]")
    if data_dir is not None:
        settings["gateway"] = {"data_dir": data_dir}
    if workers is not None:
        settings.setdefault("gateway", {})["workers"] = workers
    return settings
