"""What must happen to a charger that is not connected: done in its place, under an epoch of its own."""

from gateway.chargers.giving_up import give_up
from gateway.chargers.later_work import Work
from gateway.chargers.recorder import Recorder
from gateway.chargers.surroundings import Surroundings
from gateway.core.errors import OwnershipLost
from gateway.core.identity import ChargerId


async def do_later_for_absent(charger: ChargerId, work: Work, around: Surroundings) -> None:
    """Do later work that is due, of a charger that nobody owns.

    Raises OwnershipLost where somebody does, or where it connects meanwhile, and LogUnavailable.
    """
    claim = await around.ownership.claim_absent(charger)
    if claim is None:
        raise OwnershipLost(str(charger), forgotten=False)
    try:
        recorder = Recorder(charger, claim, around, has_socket=lambda: False)
        await recorder.do_later(work)
    finally:
        await give_up(around.ownership, charger, claim.epoch)
