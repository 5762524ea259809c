"""Every exception that the gateway raises on purpose, in one tree.

    GatewayError
    ├── ConfigurationError          a setting is wrong; says where it stands and what would be right
    ├── EmbeddedServerError         the embedded Valkey or broker did not start
    ├── HandshakeRefused            a charger may not connect (HTTP status and reason)
    ├── LogUnavailable              Redis cannot be reached: nothing is known to be stored
    ├── OwnershipLost               a commit or a command came from a connection that is not the owner any more
    ├── AskFailed                   nobody answered a question
    ├── CursorExpired               what a cursor stands before is gone
    ├── NotFound                    the charger, transaction, command or key asked for does not exist
    ├── CommandUnsupported          this OCPP version cannot do what the command asks
    ├── CommandRefused              no command was made
    │   ├── CommandInvalid          name or arguments are wrong
    │   ├── IdempotencyConflict     the same key was used with another body
    │   └── CommandRunning          the same key is still being worked on
    └── DeliveryError               an adapter could not hand its batch over
        ├── DeliveryInterrupted     the connection dropped: connect again and resume
        ├── DeliveryRefused         the receiver said no (an ACL): hold, raise the alarm, try again later
        └── DeliveryImpossible      this one entry can never be delivered: park it and go on

Exceptions of third-party libraries are translated into these at the edge where they arise.
"""

from typing import Any

from gateway.core.refusals import Cause


class GatewayError(Exception):
    """Base of everything that the gateway raises on purpose."""


class ConfigurationError(GatewayError):
    """A setting is missing, unknown or wrong.

    `source` names the file or variable, `line` the line in it where one is known.
    """

    def __init__(self, message: str, *, source: str | None = None, line: int | None = None) -> None:
        self.source, self.line = source, line
        place = "" if source is None else f"{source}: " if line is None else f"{source}, line {line}: "
        super().__init__(place + message)


class EmbeddedServerError(GatewayError):
    """The embedded Valkey or MQTT broker did not start; the message says what to do."""


class HandshakeRefused(GatewayError):
    """A charger may not connect. `status` is the HTTP status that it is answered with; without `cause` it is none that
    anybody could do something about."""

    def __init__(self, status: int, reason: str, *, cause: Cause | None = None, retry_after: int | None = None) -> None:
        self.status, self.reason, self.cause, self.retry_after = status, reason, cause, retry_after
        super().__init__(f"{status}: {reason}")


class LogUnavailable(GatewayError):
    """Redis cannot be reached, so nothing is known to be stored."""


class OwnershipLost(GatewayError):
    """The connection does not own its charger any more.

    `forgotten` is true where Redis lost its data and knows no owner at all: then the charger may be claimed
    anew. It is false where a newer connection owns the charger: then this one must close.
    """

    def __init__(self, charger: str, *, forgotten: bool) -> None:
        self.forgotten = forgotten
        super().__init__(f"{charger}: " + ("Redis knows no owner" if forgotten else "owned by a newer connection"))


class AskFailed(GatewayError):
    """Nobody answered a question in time, or it could not be asked; the message says why."""


class CursorExpired(GatewayError):
    """Entries behind a cursor are gone, as nobody came for them in time; `earliest` is the cursor to go on with."""

    def __init__(self, earliest: str) -> None:
        self.earliest = earliest
        super().__init__("the log has let go of entries behind this cursor")


class NotFound(GatewayError):
    """What was asked for does not exist."""


class CommandUnsupported(GatewayError):
    """This OCPP version cannot do what the command asks; the message says why and which versions can."""


class CommandRefused(GatewayError):
    """No command was made."""


class CommandInvalid(CommandRefused):
    """Name or arguments of a command are wrong; `problems` lists each as {"location", "message"}."""

    def __init__(self, message: str, problems: list[dict[str, Any]] | None = None) -> None:
        self.problems = problems or []
        super().__init__(message)


class IdempotencyConflict(CommandRefused):
    """The same idempotency key was used with another body."""


class CommandRunning(CommandRefused):
    """A command with the same idempotency key is still running."""


class DeliveryError(GatewayError):
    """A batch was not handed over whole. The first `confirmed` entries of it were."""

    def __init__(self, message: str, *, confirmed: int = 0) -> None:
        self.confirmed = confirmed
        super().__init__(message)


class DeliveryInterrupted(DeliveryError):
    """The connection to the receiver dropped; connect again and go on after the confirmed entries."""


class DeliveryRefused(DeliveryError):
    """The receiver refused the entry after the confirmed ones; it may take it later (an ACL that is mended)."""

    def __init__(self, message: str, *, confirmed: int = 0, topic: str = "") -> None:
        self.topic = topic
        super().__init__(message, confirmed=confirmed)


class DeliveryImpossible(DeliveryError):
    """The entry after the confirmed ones can never be delivered; park it and go on."""
