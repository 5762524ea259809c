"""The words that Home Assistant shows, by language: data files beside this module."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Words:
    """`entities` are names by the entity's key, `statuses` what a connector's status is called."""

    entities: Mapping[str, str]
    statuses: Mapping[str, str]
    connector: str
    """What one of several connectors is called; its number follows."""

    @classmethod
    def load(cls, language: str) -> "Words":
        text = (files(__package__) / "languages" / f"{language}.toml").read_text(encoding="utf-8")
        stored = tomllib.loads(text)
        return cls(stored["entities"], stored["statuses"], stored["connector"])
