"""What a business system says that a transaction costs, put into the change that is about to be stored."""

from gateway.core.connector_state import Number
from gateway.core.draft import Change
from gateway.core.ledger import place_of
from gateway.core.transaction import brief, last


def tell_cost(change: Change, transaction_id: str, cost: Number) -> None:
    """Note in a change of this transaction what it costs, so that its connector's state shows it."""
    draft = change.draft
    if draft is None or transaction_id not in change.transactions:
        return
    record = draft.drafted(transaction_id)
    record["told_cost"] = cost
    place = place_of(draft, record)
    state = None if place is None else draft.connector(place)
    if state is not None:
        running, ended = state["transaction"], state["last_transaction"]
        if running is not None and running["id"] == transaction_id:
            state["transaction"] = brief(record)
        if ended is not None and ended["id"] == transaction_id:
            state["last_transaction"] = last(record)
    whole = draft.change()
    change.fields, change.transactions = whole.fields, whole.transactions
