"""An operator's quirk profiles: read from TOML files, and laid over the built-in ones."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from gateway.config_errors import Origins, as_configuration_error
from gateway.config_file import ConfigFile
from gateway.core.errors import ConfigurationError
from gateway.ocpp.quirks.catalog import Catalog, built_in
from gateway.ocpp.quirks.tables import ProfileTable, QuirkFile


def quirk_catalog(path: Path | None) -> Catalog:
    """The built-in profiles, and over them those of a file or of a folder's `*.toml` files, in the order of names.

    Raises ConfigurationError naming file, line and reason.
    """
    return Catalog.of(built_in(), () if path is None else tuple(_read(path)))


def _read(path: Path) -> Iterator[ProfileTable]:
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files:
        raise ConfigurationError("has no *.toml file with quirk profiles", source=str(path))
    for name in files:
        file = ConfigFile(name)
        try:
            yield from QuirkFile.model_validate(file.values).profile
        except ValidationError as error:
            raise as_configuration_error(error, QuirkFile, Origins(file)) from error
