"""The tokens that were presented for a transaction, and which of them it was started with."""

from gateway.core.reports import Token, TokenDecision, Transaction
from gateway.core.transaction import TransactionRecord, token_facts

MAX_TOKENS = 16

_BEFORE_ALL = -1
"""Comes before every seqNo."""


def present(record: TransactionRecord, report: Transaction, decision: TokenDecision | None) -> None:
    """Note the token of a message, if it has one; it is the transaction's where no earlier message had one."""
    token = report.token
    if token is None:
        return
    known = record["tokens"]
    if len(known) < MAX_TOKENS and all(one["id"].lower() != token.id.lower() for one in known):
        record["tokens"] = [*known, token_facts(token)]
    if record["token"] is None or _is_earlier(record, report):
        _start_with(record, report, token, decision)


def _is_earlier(record: TransactionRecord, report: Transaction) -> bool:
    """The report is earlier than that of the transaction's token: messages of OCPP 2.x come in any order."""
    return report.seq_no is not None and _place(report, report.seq_no) < record.get("token_seq", _BEFORE_ALL)


def _place(report: Transaction, seq_no: int) -> int:
    """A start comes before all, also where the charger's numbers began anew."""
    return _BEFORE_ALL if report.kind == "started" else seq_no


def _start_with(record: TransactionRecord, report: Transaction, token: Token, decision: TokenDecision | None) -> None:
    record["token"] = token_facts(token)
    if report.seq_no is not None:
        record["token_seq"] = _place(report, report.seq_no)
    record["authorization_status"] = record["authorized_by"] = None
    if decision is not None:
        record["authorization_status"] = decision.status
        record["authorized_by"] = decision.decided_by if decision.status == "accepted" else None
