"""What must happen to a charger that is not connected: done in its place, under an epoch of its own."""

from gateway.chargers.giving_up import give_up
from gateway.chargers.surroundings import Surroundings
from gateway.core.errors import OwnershipLost
from gateway.core.events import stamp
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit
from gateway.core.twin import Twin


async def end_pending_for_absent(charger: ChargerId, transaction_id: str, around: Surroundings) -> None:
    """End a transaction whose last messages never came, of a charger that nobody owns.

    Raises OwnershipLost where somebody does, or where it connects meanwhile, and LogUnavailable.
    """
    claim = await around.ownership.claim_absent(charger)
    if claim is None:
        raise OwnershipLost(str(charger), forgotten=False)
    try:
        twin = Twin.restore(charger, claim.fields, claim.transactions)
        now = around.clock.now()
        change = twin.end_pending(now, transaction_id)
        stamped = [
            stamp(event, charger=charger, epoch=claim.epoch, sequence=place, recorded=now)
            for place, event in enumerate(change.events)
        ]
        commit = Commit(charger, claim.epoch, stamped, change.key, b"", change.fields, change.transactions)
        await around.log.commit(commit)
    finally:
        await give_up(around.ownership, charger, claim.epoch)
