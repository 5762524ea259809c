"""From an MQTT message to a command, and from its result to a message: pure functions.

The payload of `command/{name}` is a JSON object of arguments, `{}` where none is wanted. Beside the arguments stand
`id` (the idempotency key), `timeout` (seconds for the charger to answer), `expires_at` (RFC 3339), `queue_for` (seconds
to wait for a charger that is offline), `problem_at` (where a problem is retained) and, of start, `wait_for`.
The payload of `call/{Action}` is OCPP's own, the whole object, unless it has an object under `payload`: then that is
OCPP's, and only these terms may stand beside it. OCPP itself names no such field.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from adapters.mqtt.sightings import Sighting
from adapters.mqtt.topics import CommandTopic, SetTopic
from gateway.core.commands import (
    CALL_PREFIX,
    FOLLOWED,
    MAX_QUEUE_SECONDS,
    Command,
    CommandResult,
    Outcome,
    Patience,
    default_timeout,
    validated_arguments,
)
from gateway.core.errors import CommandInvalid
from gateway.core.identity import ChargerId
from gateway.core.superseding import kind_of
from gateway.core.wording import told_in_full

ORIGIN = "mqtt"
RETAINED = "retained commands are refused: publish it without the retain flag"
EMPTY = "an empty message is no command, for it may be the clearing of a retained one: send {}"
EMPTY_VALUE = "an empty message sets nothing, for it may be the clearing of a retained one: send a value, or none"
"""With MQTT 3.1.1, and from brokers that do not keep the retain flag as published, the two look the same."""
OF_CHARGER = "charger"
"""The place of a problem that is the charger's as a whole."""
_PLACES = rf"{OF_CHARGER}|evse/[1-9][0-9]{{0,5}}/connector/[1-9][0-9]{{0,5}}"


class Terms(BaseModel):
    """What may stand beside the arguments of every command."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str | None = Field(
        None,
        min_length=1,
        max_length=128,
        pattern=r"^[\x20-\x7e]+$",
        description="Idempotency key, echoed in the result; sent again, the same command gets the first one's result",
    )
    timeout: float | None = Field(None, gt=0, le=3600, description="Seconds until the command is given up")
    expires_at: str | None = Field(None, description="RFC 3339 with a zone; later than that it is not sent any more")
    queue_for: float | None = Field(
        None,
        gt=0,
        le=MAX_QUEUE_SECONDS,
        description="Seconds that it may wait for a charger that is offline, whatever becomes of the gateway's nodes; "
        "without it the charger's absence ends it as `offline`",
    )

    problem_at: str | None = Field(
        None,
        json_schema_extra={"pattern": f"^({_PLACES})$"},
        description="`charger` or `evse/{e}/connector/{c}`: where it is retained on `problem` if it is not accepted",
    )

    @field_validator("expires_at")
    @classmethod
    def _expires_at_is_a_moment(cls, text: str | None) -> str | None:
        if text is not None and _moment(text) is None:
            raise ValueError("not an RFC 3339 time with a zone, such as 2026-11-21T08:00:00Z")
        return text

    @field_validator("problem_at")
    @classmethod
    def _problem_at_is_a_place(cls, text: str | None) -> str | None:
        if text is not None and re.fullmatch(_PLACES, text, re.ASCII) is None:
            raise ValueError("neither charger nor evse/{e}/connector/{c} with the numbers of a connector")
        return text

    def expires(self) -> float | None:
        """Unix seconds, or None."""
        return None if self.expires_at is None else _moment(self.expires_at)

    def problem_topic(self, charger: ChargerId) -> SetTopic | None:
        """Where a problem is retained, or None."""
        if self.problem_at is None or self.problem_at == OF_CHARGER:
            return None if self.problem_at is None else SetTopic(charger, None)
        _, evse_id, _, connector_id = self.problem_at.split("/")
        return SetTopic(charger, (int(evse_id), int(connector_id)))


class StartTerms(Terms):
    """What may stand beside the arguments of start."""

    wait_for: Literal["transaction"] | None = Field(
        None,
        description="`transaction`: once the charger said yes, follow the start to the transaction that it causes; the "
        "result then has `transaction`, and comes within 150 s unless told otherwise",
    )


def terms_of(name: str) -> type[Terms]:
    """The terms that a command may have."""
    return StartTerms if name == FOLLOWED else Terms


@dataclass(frozen=True, slots=True)
class Request:
    """A message on a command topic, as far as it could be read.

    `arguments` are validated, None where `problem` says what is wrong. `deadline` and `expiry` are Unix seconds; at
    the deadline the command is given up, and past its expiry it was too late from the beginning. Where the message
    bears no id, other nodes may know it by one of the `aliases`. `sets` is the attribute that a home set by it,
    `problem_at` where else it is told what is not accepted, and `kind` what a newer request takes its place by while it
    waits, None where none may; one that is `paced` is not sent as often as it comes. `sighting` is there where the id
    may turn out to be that of an equal message before it.
    """

    id: str
    charger: ChargerId
    name: str
    arguments: dict[str, Any] | None
    problem: str | None
    deadline: float
    expiry: float | None
    patience: Patience | None = None
    followed: bool = False
    aliases: tuple[str, ...] = ()
    sets: SetTopic | None = None
    problem_at: SetTopic | None = None
    kind: str | None = None
    paced: bool = False
    sighting: Sighting | None = None

    def recounted(self, sighting: Sighting) -> "Request":
        """The same with the next ids that its message may have."""
        command_id, *aliases = sighting.after(self.id)
        return replace(self, id=command_id, aliases=tuple(aliases))

    @property
    def ids(self) -> tuple[str, ...]:
        """Its id, and those by which another node may know it."""
        return (self.id, *self.aliases)

    @property
    def latest(self) -> float:
        """When it is too late to begin with it (Unix seconds)."""
        return self.deadline if self.patience is None else max(self.deadline, self.patience.until)

    def command(self, answered: Callable[[], None] | None = None, reply: dict[str, str] | None = None) -> Command:
        """Raises CommandInvalid where the message cannot be carried out; `answered` and `reply` are as in Command."""
        if self.arguments is None:
            raise CommandInvalid(self.problem or "not a command")
        return Command(
            self.id,
            self.charger,
            self.name,
            self.arguments,
            self.deadline,
            ORIGIN,
            answered,
            patience=self.patience,
            followed=self.followed,
            reply=reply or {},
            heard_by_all=True,
        )

    def refused(self, now: float) -> CommandResult | None:
        """The result of a message that makes no command at `now`, None where it makes one."""
        if self.problem is not None:
            return self.result(Outcome.INVALID, self.problem)
        if self.expiry is not None and now >= self.expiry:
            return self.result(Outcome.EXPIRED, "the command had expired when its turn came")
        if now >= self.latest:
            return self.result(Outcome.EXPIRED, "its time was up while commands before it ran")
        return None

    def result(self, outcome: Outcome, reason: str) -> CommandResult:
        return CommandResult(self.id, self.charger, self.name, outcome, reason)


@dataclass(frozen=True, slots=True)
class Received:
    """What is known of a message beside its topic: `message_expiry` is what is left of it in seconds, at `now`."""

    payload: bytes
    retain: bool
    now: float
    message_expiry: float | None = None

    @property
    def clears(self) -> bool:
        """Whether it only clears a retained message, and is no command."""
        return self.retain and not self.payload


def read_request(
    topic: CommandTopic, received: Received, *, usual_timeout: float, unnamed: Callable[[], Sequence[str]]
) -> Request:
    """Read a message; never raises: what is wrong with it is its `problem`.

    `unnamed` gives the id, and the aliases, of one that bears none.
    """
    name = f"{CALL_PREFIX}{topic.name}" if topic.kind == "call" else topic.name
    terms, arguments, problem = Terms(), None, None
    try:
        terms, rest = _split(topic.kind == "call", _object(received), terms_of(name))
        if received.retain:
            raise CommandInvalid(RETAINED)
        arguments = validated_arguments(name, rest)
    except _Unreadable as error:
        terms, problem = error.terms, str(error)
    except CommandInvalid as error:
        problem = RETAINED if received.retain else str(error)
    expiry = _earliest(
        terms.expires(), None if received.message_expiry is None else received.now + received.message_expiry
    )
    followed = isinstance(terms, StartTerms) and terms.wait_for is not None
    timeout = default_timeout(name, usual_timeout, followed=followed) if terms.timeout is None else terms.timeout
    deadline = received.now + timeout
    until = None if terms.queue_for is None else _earliest(received.now + terms.queue_for, expiry)
    command_id, *aliases = [terms.id] if terms.id is not None else unnamed()
    return Request(
        id=command_id,
        charger=topic.charger,
        name=name,
        arguments=arguments,
        problem=problem,
        deadline=deadline if expiry is None else min(deadline, expiry),
        expiry=expiry,
        patience=None if until is None else Patience(until, timeout),
        followed=followed,
        aliases=tuple(aliases),
        problem_at=terms.problem_topic(topic.charger),
        kind=None if arguments is None else kind_of(name, arguments),
    )


class _Unreadable(CommandInvalid):
    """The terms are wrong; `terms` holds what of the id and of the place of problems could be read, so that the
    result can echo the one and come to the other."""

    def __init__(self, message: str, terms: Terms) -> None:
        self.terms = terms
        super().__init__(message)

    @classmethod
    def of(cls, error: ValidationError, given: dict[str, Any]) -> Self:
        problems = error.errors(include_url=False)
        told, _ = told_in_full(problems, Terms)
        wrong = {problem["loc"][0] for problem in problems}
        return cls(
            told,
            Terms(
                id=None if "id" in wrong else given.get("id"),
                problem_at=None if "problem_at" in wrong else given.get("problem_at"),
            ),
        )


def _object(received: Received) -> dict[str, Any]:
    if not received.payload:
        raise CommandInvalid(EMPTY)
    try:
        value = orjson.loads(received.payload)
    except ValueError as error:
        raise CommandInvalid(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CommandInvalid("a command's payload is a JSON object")
    return value


def _split(is_call: bool, value: dict[str, Any], model: type[Terms]) -> tuple[Terms, dict[str, Any]]:
    """The terms and the arguments. Raises _Unreadable."""
    if is_call:
        payload = value.get("payload")
        if not isinstance(payload, dict):
            return Terms(), value
        given = {key: item for key, item in value.items() if key != "payload"}
        arguments = payload
    else:
        given = {key: item for key, item in value.items() if key in model.model_fields}
        arguments = {key: item for key, item in value.items() if key not in model.model_fields}
    try:
        return model.model_validate(given), arguments
    except ValidationError as error:
        raise _Unreadable.of(error, given) from error


def _moment(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text.upper())
        return None if moment.tzinfo is None or "T" not in text.upper() else moment.timestamp()
    except (ValueError, OverflowError):
        return None


def _earliest(*moments: float | None) -> float | None:
    return min((moment for moment in moments if moment is not None), default=None)
