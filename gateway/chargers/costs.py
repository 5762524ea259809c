"""What a transaction costs so far, asked of a business system and told to the charger in the answer to its message.

OCPP 2.x, use cases I02 (running cost) and I03 (final cost). The message is taken whatever comes of the question: an
answer that is late or wrong merely leaves the cost out.
"""

import asyncio
from dataclasses import replace
from typing import Any

import structlog

from gateway.chargers.interpretation import Prepared, repriced
from gateway.core.identity import ChargerId
from gateway.core.pricing import tell_cost
from gateway.core.reports import Transaction
from gateway.core.responder import Question, Responder

_log = structlog.get_logger(__name__)

CARRIERS = frozenset({"ocpp.transaction.updated", "ocpp.transaction.ended"})


async def with_cost(ready: Prepared, charger: ChargerId, responder: Responder, *, seconds: float) -> Prepared:
    """The same with what was said of the transaction's cost in its answer and its event, within so many seconds."""
    item, events = ready.received, ready.change.events
    if item.cost_question is None or seconds <= 0 or not events or events[0].type not in CARRIERS:
        return ready
    data: dict[str, Any] = events[0].data
    final = isinstance(item.report, Transaction) and item.report.kind == "ended"
    question = Question(item.cost_question, charger, {**data, "final": final})
    try:
        async with asyncio.timeout(seconds):
            decision = await responder.decide(question)
    except TimeoutError:
        _log.info("the transaction's cost was not told in time", charger=str(charger),
                  transaction=data.get("transaction_id"))  # fmt: skip
        return ready
    if decision.answer is None:
        return ready
    told = decision.answer.model_dump(exclude_none=True)
    data["decision"] = {**told, "decided_by": decision.decided_by}
    tell_cost(ready.change, data["transaction_id"], told["total_cost"])
    return replace(ready, answer=repriced(ready, decision.answer))
