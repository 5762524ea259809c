"""What is known of a connected charger's make, applied to its session and to the reading of its messages."""

from gateway.chargers.recorder import Recorder
from gateway.chargers.surroundings import Surroundings
from gateway.ocpp.profile import STANDARD, Quirks
from gateway.ocpp.quirks.catalog import Make
from gateway.ocpp.session import Session


class KnownMake:
    """The quirks of one charger: those of its last boot, chosen anew at each BootNotification."""

    __slots__ = ("_around", "_recorder", "_session", "quirks")

    def __init__(self, recorder: Recorder, session: Session, around: Surroundings) -> None:
        self._recorder, self._session, self._around = recorder, session, around
        self.quirks: Quirks = STANDARD
        self.choose()

    @property
    def name(self) -> str | None:
        """The names of the profiles that apply, as operators see them; None where none does."""
        return None if self.quirks is STANDARD else self.quirks.name

    def choose(self) -> bool:
        """Choose by what the twin knows now; True where another choice than before was made."""
        vendor, model, firmware = self._recorder.twin.make
        make = Make(self._recorder.charger.identity, vendor, model, firmware)
        before, self.quirks = self.quirks, self._around.quirks.quirks(make)
        strict = self._around.config.strict if self.quirks.strict is None else self.quirks.strict
        self._session.adapt(strict=strict, id_tag_length=self.quirks.id_tag_length)
        return before.name != self.quirks.name
