"""The certificate that a charger asked to have signed, sent to it after its answer (use cases A02 and A03)."""

from hashlib import blake2b

import structlog

from gateway.chargers.interpretation import Decisions, Received
from gateway.chargers.surroundings import Surroundings
from gateway.core.answers import SignCertificateAnswer
from gateway.core.commands import Command, validated_arguments
from gateway.core.errors import CommandRefused, LogUnavailable
from gateway.core.identity import ChargerId
from gateway.core.reports import Notice

_log = structlog.get_logger(__name__)

COMMAND = "send_certificate"

SEND_WITHIN = 30.0
"""Seconds that the charger may take to take its certificate."""


def signed_at_once(decisions: Decisions) -> str | None:
    """The certificate chain that was decided on; None where there is none, or it comes later."""
    answer = None if decisions.other is None else decisions.other.answer
    if not isinstance(answer, SignCertificateAnswer) or answer.status != "accepted":
        return None
    return answer.certificate_chain


async def send_certificate(chain: str, charger: ChargerId, epoch: int, request: Received, around: Surroundings) -> None:
    """Send it by the same way as any command, and say in the log how it ended. Never raises.

    The command's id comes from the request, so that one request leads to one command.
    """
    asked = request.report.data if isinstance(request.report, Notice) else {}
    named = {name: asked[name] for name in ("type", "request_id") if asked.get(name) is not None}
    origin = f"{charger.key}|{epoch}|{request.call.message_id}"
    command_id = "certificate-" + blake2b(origin.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    try:
        arguments = validated_arguments(COMMAND, {"certificate_chain": chain, **named})
        deadline = around.clock.now() + SEND_WITHIN
        result = await around.router.submit(Command(command_id, charger, COMMAND, arguments, deadline))
    except (CommandRefused, LogUnavailable) as error:
        _log.warning("signed certificate not sent", charger=str(charger), id=command_id, reason=str(error))
    except Exception:
        # Our own bug, on one charger: every other goes on.
        _log.exception("sending a signed certificate failed", charger=str(charger), id=command_id)
    else:
        if result is None:
            _log.info("signed certificate waits for its charger", charger=str(charger), id=command_id)
            return
        _log.info("signed certificate sent", charger=str(charger), id=command_id,
                  outcome=result.outcome.value, reason=result.reason)  # fmt: skip
