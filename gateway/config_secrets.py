"""Options from a folder of secret files, as Docker, Kubernetes and systemd hand secrets out."""

from collections.abc import Collection, Iterator
from pathlib import Path

from gateway.core.errors import ConfigurationError


def secret_files(folder: Path, sections: Collection[str]) -> Iterator[tuple[tuple[str, str], str, Path]]:
    """Each option that a file is named after (`mqtt.password`), its value, and the file; a last newline is left out.

    Files that are named after none of the sections are somebody else's. Raises ConfigurationError for what cannot be
    read.
    """
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        problem = f"the folder of secrets cannot be read: {error.strerror}"
        raise ConfigurationError(problem, source=str(folder)) from error
    for file in files:
        section, dot, option = file.name.partition(".")
        if not dot or section not in sections:
            continue
        try:
            yield (section, option), file.read_text(encoding="utf-8").removesuffix("\n"), file
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigurationError(f"cannot be read: {reason}", source=str(file)) from error
