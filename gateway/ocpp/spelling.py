"""Neutral words in the spelling of each version, and which versions know them."""

from collections.abc import Mapping

from gateway.core.errors import CommandUnsupported
from gateway.ocpp.fields import snake_case

Words = Mapping[str, Mapping[str, str]]
"""Neutral word → version → OCPP's word."""


def in_2x(word: str) -> Mapping[str, str]:
    """A word that is the same in both versions of OCPP 2."""
    return {"2.0.1": word, "2.1": word}


def in_21(word: str) -> Mapping[str, str]:
    """A word that OCPP 2.1 alone knows."""
    return {"2.1": word}


def spelled(word: str, words: Words, version: str, what: str) -> str:
    """OCPP's word in a version. Raises CommandUnsupported naming the versions that know it."""
    found = words[word].get(version)
    if found is None:
        raise CommandUnsupported(f"{what}: OCPP {version} knows no {word}; versions that do: {', '.join(words[word])}")
    return found


def neutral_word(spelling: str, words: Words) -> str:
    """The neutral word for OCPP's; that in snake_case where it is none of the table's."""
    return next((word for word, versions in words.items() if spelling in versions.values()), snake_case(spelling))
