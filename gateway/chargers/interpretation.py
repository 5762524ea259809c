"""What a charger's call means: its report, what a responder decides of it, the change that follows, and the answer.

Nothing here is stored yet; see `gateway.chargers.recorder`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson
import structlog

from gateway.core.answers import Answer, SignCertificateAnswer
from gateway.core.chain import OPERATOR
from gateway.core.clock import rfc3339
from gateway.core.events import Origin, compact
from gateway.core.identity import ChargerId
from gateway.core.reports import (
    Authorization,
    Boot,
    BootDecision,
    Notice,
    Report,
    TokenDecision,
    Transaction,
    Untranslated,
    Verdict,
)
from gateway.core.responder import AuthorizeQuestion, Decision, Question, Responder
from gateway.core.twin import Change, Twin
from gateway.ocpp.profile import Inbound, Notes, Quirks, empty_reply
from gateway.ocpp.session import CallReceived

_log = structlog.get_logger(__name__)

UNSAID = Decision(None)
"""Nobody was configured to decide, so that the version's default reply would be given."""

WANTED: Mapping[str, Answer] = {"sign_certificate": SignCertificateAnswer(status="accepted")}
"""What is said to questions that an operator wanted asked: who triggers a SignCertificate will send the certificate."""

SECRET_PARTS = {"certificate_chain", "exi_response", "ocsp_result"}
"""Parts of answers that events do not repeat."""


@dataclass(slots=True)
class Received:
    """A call that arrived (monotonic seconds), and what it reports."""

    call: CallReceived
    notes: Notes
    report: Report
    arrived: float
    cost_question: str | None = None
    """The question for the transaction's cost, where one is to be asked."""

    @property
    def is_money(self) -> bool:
        return self.call.inbound is not None and self.call.inbound.money

    @property
    def is_question(self) -> bool:
        """Whether a responder must be asked."""
        match self.report:
            case Transaction():
                return self.report.token is not None or self.cost_question is not None
            case Untranslated():
                return False
        return self.call.inbound is not None and self.call.inbound.asks is not None


@dataclass(slots=True)
class Decisions:
    """What a responder decided of a call."""

    token: TokenDecision | None = None
    boot: BootDecision | None = None
    other: Decision | None = None


UNDECIDED = Decisions()


@dataclass(slots=True)
class Prepared:
    """All that is to be stored of a call, and the answer that it then gets (JSON; empty where there is no row)."""

    received: Received
    change: Change
    answer: bytes
    origin: Origin
    recorded: float
    verdict: Verdict | None = None
    """What the answer was written from."""


def received(
    charger: ChargerId, call: CallReceived, arrived: float, quirks: Quirks, *, priced: bool = False
) -> Received:
    """Translate a call by its version's table. Never raises: what the table cannot read travels raw.

    `priced`: somebody is set up to say what transactions cost.
    """
    notes = Notes(call.violations, quirks)
    if call.inbound is None:
        return Received(call, notes, Untranslated(), arrived)
    try:
        report = call.inbound.translate(call.payload, notes)
        return Received(call, notes, report, arrived, _cost_question(call.inbound, report) if priced else None)
    except Exception:
        # A bug of ours must not stop the charger: what it said is passed on and answered.
        _log.exception("translation failed", charger=str(charger), action=call.action)
        notes.violation("untranslatable", "", "the gateway could not translate this message")
        return Received(call, notes, Untranslated(), arrived)


def _cost_question(row: Inbound, report: Report) -> str | None:
    """A transaction costs nothing yet when it starts, and nobody looks at a display for what is told afterwards."""
    if not isinstance(report, Transaction) or report.kind == "started" or (report.offline and report.kind != "ended"):
        return None
    return row.asks_after


async def decided(
    charger: ChargerId,
    item: Received,
    responder: Responder,
    *,
    boot_status: str | None = None,
    asked_for: bool = False,
) -> Decisions:
    """Ask the responder what a call asks. `boot_status` is how the charger's last boot was answered; `asked_for` tells
    that an operator had the charger send this."""
    report = item.report
    if boot_status in ("pending", "rejected") and isinstance(report, Transaction) and report.token is not None:
        return Decisions(token=TokenDecision("invalid", decided_by="boot"))
    match report:
        case Boot():
            return Decisions(boot=await responder.boot(charger, report))
        case Authorization():
            question = AuthorizeQuestion(charger, report.token, report.evse_id, "presented", report.details)
            return Decisions(token=await responder.authorize(question))
        case Transaction(token=token) if token is not None:
            # Who ends a transaction only shows the token; nothing begins with it.
            moment: Literal["presented", "start"] = "presented" if report.kind == "ended" else "start"
            question = AuthorizeQuestion(charger, token, report.evse_id, moment)
            return Decisions(token=await responder.authorize(question))
        case Notice() if item.call.inbound is not None and item.call.inbound.asks is not None:
            decision = await responder.decide(Question(item.call.inbound.asks, charger, report.data))
            wanted = WANTED.get(item.call.inbound.asks) if asked_for and decision == UNSAID else None
            if wanted is not None:
                decision = Decision(wanted, OPERATOR)
            report.data["decision"] = _told(decision)
            return Decisions(other=decision)
    return UNDECIDED


def _told(decision: Decision) -> dict[str, Any]:
    """A decision as it stands in the event; the answer's bulk is the charger's alone."""
    said = {} if decision.answer is None else decision.answer.model_dump(exclude=SECRET_PARTS, exclude_none=True)
    return {**said, "decided_by": decision.decided_by}


def prepared(
    item: Received,
    decisions: Decisions,
    *,
    twin: Twin,
    version: str,
    now: float,
    ahead: float,
    recalled: bytes | None = None,
) -> Prepared:
    """The change that a call makes and its answer. `now` is the node's clock, `ahead` what Redis's is ahead of it.

    `recalled` is what was found of a transaction that an earlier change asked for (`Change.recall`).
    """
    call = item.call
    change = _change(item, decisions, twin, now, ahead, recalled)
    row = call.inbound
    verdict = _verdict(row, item, decisions, change, now)
    answer = b""
    if row is not None and row.answered:
        answer = b"{}" if verdict is None else _written(row, verdict, call.action)
    origin = Origin(version, call.action, call.message_id, call.raw, item.notes.violations, call.is_json)
    return Prepared(item, change, answer, origin, now, verdict)


def repriced(ready: Prepared, cost: Answer) -> bytes:
    """The answer to a transaction's message with what it costs."""
    row = ready.received.call.inbound
    if row is None or ready.verdict is None:
        return ready.answer
    return _written(row, replace(ready.verdict, answer=cost), ready.received.call.action)


def _verdict(row: Inbound | None, item: Received, decisions: Decisions, change: Change, now: float) -> Verdict | None:
    """What the reply is written from; None where the reply is empty whatever was decided, or there is none."""
    if row is None or not row.answered or row.reply is empty_reply:
        return None
    return Verdict(
        rfc3339(now),
        decisions.token,
        decisions.boot,
        change.transaction_id,
        None if decisions.other is None else decisions.other.answer,
        item.call.payload,
    )


def _written(row: Inbound, verdict: Verdict, action: str) -> bytes:
    """The answer in JSON. Where what was decided cannot be written, the version's default reply is given."""
    try:
        return compact(orjson.dumps(row.reply(verdict)))
    except Exception:
        _log.exception("answer cannot be written", action=action)
        return orjson.dumps(row.reply(replace(verdict, answer=None)))


def _change(
    item: Received, decisions: Decisions, twin: Twin, now: float, ahead: float, recalled: bytes | None
) -> Change:
    try:
        return twin.handle(
            item.report,
            now=now,
            redis_now=now + ahead,
            token=decisions.token,
            boot=decisions.boot,
            payload=item.call.raw,
            violations=[violation["code"] for violation in item.notes.violations],
            may_recall=recalled is None,
            recalled=recalled,
        )
    except Exception:
        _log.exception("report not understood", action=item.call.action)
        item.notes.violation("untranslatable", "", "the gateway could not make sense of this message")
        return twin.handle(Untranslated(), now=now, redis_now=now + ahead)
