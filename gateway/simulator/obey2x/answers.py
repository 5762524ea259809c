"""Answers that have a status."""

from typing import Any

from gateway.simulator.dialect import Answer
from gateway.simulator.messages import Errand


def accepted(then: Errand | None = None, **fields: Any) -> Answer:
    """The status Accepted and further fields."""
    return Answer({"status": "Accepted", **fields}, then)


def refused(reason_code: str, status: str = "Rejected", *, then: Errand | None = None) -> Answer:
    """A status that means no, with its reason (OCPP 2.x part 2, appendix 5)."""
    return Answer({"status": status, "statusInfo": {"reasonCode": reason_code}}, then)
