"""The topics of the public contract: names to topics and back, for one prefix."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gateway.core.identity import ChargerId, percent_decode, percent_encode

CommandKind = Literal["command", "call"]

Place = tuple[int, int]
"""EVSE and connector."""


@lru_cache(maxsize=256)
def _type_in_topics(event_type: str) -> str:
    return event_type.removeprefix("ocpp.").replace(".", "/")


@dataclass(frozen=True, slots=True)
class CommandTopic:
    """What a command topic says: which charger, and the neutral command's name or the raw call's action."""

    charger: ChargerId
    kind: CommandKind
    name: str


@dataclass(frozen=True, slots=True)
class AnswerTopic:
    """What an answer topic says: which question is answered, and the charger that it concerns."""

    charger: ChargerId
    ask_id: str


@dataclass(frozen=True, slots=True)
class SetTopic:
    """What a set topic says: whose attribute shall be set. `place` None is the charger as a whole; `attribute` None:
    the payload names the attributes."""

    charger: ChargerId
    place: Place | None
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class GetTopic:
    """What a get topic says: of what the state shall be refreshed."""

    charger: ChargerId
    place: Place | None


class Topics:
    """All topics below one prefix. Identities are percent-encoded; types lose their leading `ocpp.`."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._chargers = f"{prefix}/chargers/"
        self.status = f"{prefix}/status"
        self.info = f"{prefix}/info"
        self.command_filters = (f"{prefix}/chargers/+/command/+", f"{prefix}/chargers/+/call/+")
        self.answer_filter = f"{prefix}/chargers/+/answer/+"
        places = (f"{prefix}/chargers/+", f"{prefix}/chargers/+/evse/+/connector/+")
        self.home_filters = tuple(f"{place}/{what}" for place in places for what in ("set", "set/+", "get"))
        """What a home sends: attributes to set, and the wish to have the state anew."""
        self.problem_filters = tuple(f"{place}/problem" for place in places)
        """Our own: each node hears what was refused, and the one that publishes the state of chargers does so again."""
        self.filters = (*self.command_filters, *self.home_filters, *self.problem_filters, self.answer_filter)
        """All that is heard."""

    def charger(self, charger: ChargerId) -> str:
        """The branch of one charger."""
        return f"{self.prefix}/chargers/{charger.encoded}"

    def event(self, charger: ChargerId, event_type: str) -> str:
        return f"{self._chargers}{charger.encoded}/event/{_type_in_topics(event_type)}"

    def message(self, charger: ChargerId, action: str) -> str:
        return f"{self.charger(charger)}/message/{ChargerId(action).encoded}"

    def availability(self, charger: ChargerId) -> str:
        return f"{self.charger(charger)}/availability"

    def state(self, charger: ChargerId) -> str:
        return f"{self.charger(charger)}/state"

    def connector(self, charger: ChargerId, evse_id: int | str, connector_id: int | str) -> str:
        """The branch of one connector."""
        return f"{self.charger(charger)}/evse/{evse_id}/connector/{connector_id}"

    def connector_state(self, charger: ChargerId, evse_id: int | str, connector_id: int | str) -> str:
        return f"{self.connector(charger, evse_id, connector_id)}/state"

    def place(self, charger: ChargerId, place: Place | None) -> str:
        """The branch of a connector, or of the charger as a whole."""
        return self.charger(charger) if place is None else self.connector(charger, *place)

    def problem(self, charger: ChargerId, place: Place | None) -> str:
        """What was asked last by `set` and did not end as accepted."""
        return f"{self.place(charger, place)}/problem"

    def result(self, charger: ChargerId, name: str) -> str:
        """Where the result of a command goes that named no Response Topic; a raw call's by its action."""
        return f"{self.charger(charger)}/result/{name.removeprefix('call/')}"

    def ask(self, charger: ChargerId, question: str) -> str:
        """Where a decision is asked for."""
        return f"{self.charger(charger)}/ask/{question}"

    def answer(self, charger: ChargerId, ask_id: str) -> str:
        """Where it is answered; it is the ask's Response Topic too."""
        return f"{self.charger(charger)}/answer/{percent_encode(ask_id)}"

    def parse_command(self, topic: str) -> CommandTopic | None:
        """What a command topic says; None for a topic that is none, or whose identity is not UTF-8."""
        head = f"{self.prefix}/chargers/"
        if not topic.startswith(head):
            return None
        match topic[len(head) :].split("/"):
            case [encoded, ("command" | "call") as kind, name] if encoded and name:
                try:
                    charger = ChargerId(percent_decode(encoded))
                except ValueError:
                    return None
                return CommandTopic(charger, "command" if kind == "command" else "call", name)
        return None

    def parse_home(self, topic: str) -> SetTopic | GetTopic | None:
        """What a set or get topic says; None for a topic that is none, or whose names cannot be read."""
        if not topic.startswith(self._chargers):
            return None
        encoded, *what = topic[len(self._chargers) :].split("/")
        if not encoded:
            return None
        place: Place | None = None
        if len(what) > 4 and (what[0], what[2]) == ("evse", "connector"):
            evse_id, connector_id = _number(what[1]), _number(what[3])
            if evse_id is None or connector_id is None:
                return None
            place, what = (evse_id, connector_id), what[4:]
        try:
            charger = ChargerId(percent_decode(encoded))
        except ValueError:
            return None
        match what:
            case ["set"]:
                return SetTopic(charger, place)
            case ["set", attribute] if attribute:
                return SetTopic(charger, place, attribute)
            case ["get"]:
                return GetTopic(charger, place)
        return None

    def parse_problem(self, topic: str) -> ChargerId | None:
        """The charger that a problem topic is about; None for a topic that is none."""
        place, _, what = topic.rpartition("/")
        about = self.parse_home(f"{place}/get") if what == "problem" else None
        return None if about is None else about.charger

    def parse_answer(self, topic: str) -> AnswerTopic | None:
        """What an answer topic says; None for a topic that is none, or whose names are not UTF-8."""
        if not topic.startswith(self._chargers):
            return None
        match topic[len(self._chargers) :].split("/"):
            case [encoded, "answer", ask_id] if encoded and ask_id:
                try:
                    return AnswerTopic(ChargerId(percent_decode(encoded)), percent_decode(ask_id))
                except ValueError:
                    return None
        return None

    def may_reply_to(self, response_topic: str) -> bool:
        """Response Topics below the prefix would let anybody forge the gateway's own; only reply/ is open."""
        if any(char in response_topic for char in "+#\x00") or not response_topic:
            return False
        return not f"{response_topic}/".startswith(f"{self.prefix}/") or response_topic.startswith(
            f"{self.prefix}/reply/"
        )


def _number(text: str) -> int | None:
    """An EVSE's or a connector's number as the gateway writes it."""
    plain = text.isascii() and text.isdecimal() and len(text) < 10 and not text.startswith("0")
    return int(text) if plain else None
