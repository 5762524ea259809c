"""Validated arguments as OCPP's objects, by tables: the way out, as `gateway.ocpp.shapes` is the way in.

A form names the fields of an object: neutral name → what OCPP calls it, and how it is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.core.errors import CommandInvalid
from gateway.ocpp.arguments import moment
from gateway.ocpp.fields import snake_case

Words = Mapping[str, str]
"""Neutral word → OCPP's."""


@dataclass(frozen=True, slots=True)
class Written:
    """One field: its name in OCPP, and what it is there; `plain` goes out as it is.

    `words` are those of an enumeration, `form` is that of the object, or of each in a list.
    """

    name: str
    kind: Literal["plain", "moment", "word", "words", "object", "objects"] = "plain"
    words: Words = field(default_factory=dict)
    form: "Form" = field(default_factory=dict)


Form = Mapping[str, str | Written]
"""Neutral name → OCPP's name where the value goes out as it is, else how it is written."""


def words_of(*words: str) -> Words:
    """The words of an enumeration whose neutral spelling is snake_case."""
    return {snake_case(word): word for word in words}


def word(name: str, words: Words) -> Written:
    """A word of an enumeration."""
    return Written(name, "word", words)


def many_words(name: str, words: Words) -> Written:
    """A list of words of an enumeration."""
    return Written(name, "words", words)


def time(name: str) -> Written:
    """A timestamp."""
    return Written(name, "moment")


def one(name: str, form: Form) -> Written:
    """An object."""
    return Written(name, "object", form=form)


def each(name: str, form: Form) -> Written:
    """A list of objects."""
    return Written(name, "objects", form=form)


def write(values: Mapping[str, Any], form: Form, where: str = "") -> dict[str, Any]:
    """OCPP's object, without what was not given.

    Raises CommandInvalid, naming the place, for a timestamp that is none and a word that OCPP does not have.
    """
    written: dict[str, Any] = {}
    for neutral, how in form.items():
        value = values.get(neutral)
        if value is None:
            continue
        if isinstance(how, str):
            written[how] = value
        else:
            written[how.name] = _written(value, how, f"{where}.{neutral}" if where else neutral)
    return written


def _written(value: Any, how: Written, where: str) -> Any:
    match how.kind:
        case "moment":
            return moment(value, where)
        case "word":
            return _word(value, how.words, where)
        case "words":
            return [_word(item, how.words, where) for item in value]
        case "object":
            return write(value, how.form, where)
        case "objects":
            return [write(item, how.form, f"{where}.{place}") for place, item in enumerate(value)]
        case _:
            return value


def _word(value: str, words: Words, where: str) -> str:
    if value not in words:
        raise CommandInvalid(f"{where}: {value!r} is none of {', '.join(words)}")
    return words[value]
