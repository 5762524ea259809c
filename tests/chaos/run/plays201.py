"""Transactions of OCPP 2.0.1, as they should be and as real chargers tell them."""

import random
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from tests.chaos.run import words201
from tests.chaos.run.plays import Again, Offline, Online, Pause, Say, Step, new_id, told
from tests.chaos.run.traits import Moments, Traits
from tests.chaos.run.truth import Message, Transaction


class Charging201:
    """The plays of one EVSE."""

    def __init__(self, charger: str, evse: int, traits: Traits, draw: random.Random, *, pause: float) -> None:
        self.transactions: list[Transaction] = []
        self._charger, self._evse, self._traits, self._draw = charger, evse, traits, draw
        self._pause = pause
        self.clock = Moments(traits.clock)
        self._register = Decimal(draw.randint(2_000_000, 9_000_000)) / 10
        self._token = f"TOKEN-{draw.randrange(10**8):08d}"
        self._seq_no = 0

    def messes(self) -> list[str]:
        return [
            "start_again",
            "updated_again",
            "end_again",
            "updated_differs",
            "end_differs",
            "offline",
            "shuffled",
            "missing_stop",
            "late_end",
            "gap",
            "late_gap",
            "missing_start",
            "late_updated",
            "late_meter",
        ]

    def play(self, mess: str) -> Iterator[Step]:
        match mess:
            case "missing_stop" | "late_end":
                yield from self._two(mess)
            case "offline":
                yield Offline()
                yield from self._whole(mess, offline=True)
                yield Online()
            case "shuffled":
                yield from self._shuffled()
            case "gap" | "late_gap" | "missing_start":
                yield from self._with_hole(mess)
            case _:
                yield from self._whole(mess)

    # ------------------------------------------------------------ whole transactions

    def _whole(self, mess: str, *, offline: bool = False) -> Iterator[Step]:
        draw = self._draw
        transaction = self._new(mess)
        started = self._event(transaction, "Started", offline=offline)
        yield Say(started)
        if draw.random() < 0.5:
            action, payload = words201.status(self._evse, "Occupied", self.clock.now())
            yield Say(Message(self._charger, action, payload, once=False))
        if mess == "start_again":
            yield Again(started, new_id(draw))
        for _ in range(draw.randint(1 if mess.startswith("updated") else 0, 4)):
            yield Pause(draw.uniform(0.5, 1.5) * self._pause)
            self._charge(transaction)
            updated = self._event(transaction, "Updated", offline=offline)
            yield Say(updated)
            if mess == "updated_again":
                yield Again(updated, new_id(draw))
            elif mess == "updated_differs":
                transaction.suspect.add("duplicate_with_differences")
                yield Say(self._differing(transaction, updated))
        yield Pause(draw.uniform(0.5, 1.5) * self._pause)
        self._charge(transaction)
        ended = self._event(transaction, "Ended", offline=offline)
        yield Say(ended)
        yield from self._afterwards(transaction, ended)

    def _afterwards(self, transaction: Transaction, ended: Message) -> Iterator[Step]:
        match transaction.mess:
            case "end_again":
                yield Again(ended, new_id(self._draw))
            case "end_differs":
                transaction.suspect.add("duplicate_with_differences")
                transaction.corrects = 1
                yield Say(self._differing(transaction, ended))
            case "late_updated":
                yield Say(self._event(transaction, "Updated"))
            case "late_meter":
                samples = [words201.sample(self._register, kwh=self._kwh)]
                payload = words201.meter(self._evse, self.clock.now(), samples)
                yield Say(Message(self._charger, "MeterValues", payload, once=False))

    def _two(self, mess: str) -> Iterator[Step]:
        """A transaction without an end, which the start of the next one ends; its end may come late."""
        draw = self._draw
        transaction = self._new(mess)
        yield Say(self._event(transaction, "Started"))
        for _ in range(draw.randint(1, 3)):
            yield Pause(draw.uniform(0.5, 1.5) * self._pause)
            self._charge(transaction)
            yield Say(self._event(transaction, "Updated"))
        yield Pause(draw.uniform(0.5, 1.5) * self._pause)
        if mess == "missing_stop":
            transaction.suspect.add("missing_stop")
            ended = None
        else:
            transaction.corrects = 1
            self._charge(transaction)
            ended = self._event(transaction, "Ended")
        follower = self._new("none")
        yield Pause(self.clock.step)
        yield Say(self._event(follower, "Started"))
        if ended is not None:
            yield Say(ended)
        yield Pause(draw.uniform(0.5, 1.5) * self._pause)
        self._charge(follower)
        yield Say(self._event(follower, "Ended"))

    def _shuffled(self) -> Iterator[Step]:
        """All that was kept offline comes in any order."""
        transaction = self._new("shuffled")
        transaction.corrects = None
        yield Offline()
        kept = [self._event(transaction, "Started", offline=True)]
        for _ in range(self._draw.randint(1, 4)):
            yield Pause(self._draw.uniform(0.2, 1.0) * self._pause)
            self._charge(transaction)
            kept.append(self._event(transaction, "Updated", offline=True))
        self._charge(transaction)
        kept.append(self._event(transaction, "Ended", offline=True))
        self._draw.shuffle(kept)
        for message in kept:
            yield Say(message)
        yield Online()

    def _with_hole(self, mess: str) -> Iterator[Step]:
        """One message is missing, for a while or for good."""
        draw = self._draw
        transaction = self._new(mess)
        transaction.corrects = None
        said = [self._event(transaction, "Started")]
        if mess != "missing_start":
            yield Say(said[0])
        for number in range(3):
            yield Pause(draw.uniform(0.5, 1.5) * self._pause)
            self._charge(transaction)
            said.append(self._event(transaction, "Updated"))
            if number != 1 or mess == "missing_start":
                yield Say(said[-1])
        first_seen = said[1].payload["meterValue"][0]["sampledValue"][0]
        yield Pause(draw.uniform(0.5, 1.5) * self._pause)
        self._charge(transaction)
        yield Say(self._event(transaction, "Ended"))
        if mess == "late_gap":
            yield Pause(draw.uniform(0.5, 4) * self._pause)
            yield Say(said[2])
            return
        transaction.suspect.add("gap")
        missing = said[2] if mess == "gap" else said[0]
        transaction.messages.remove(missing)
        if mess == "missing_start":
            transaction.has_start = False
            transaction.suspect.add("missing_start")
            shown = Decimal(str(first_seen["value"])) * (1000 if self._kwh else 1)
            transaction.energy = self._register - shown

    # ------------------------------------------------------------ their parts

    @property
    def _kwh(self) -> bool:
        return self._traits.register == "kwh"

    def _new(self, mess: str) -> Transaction:
        number = len(self.transactions) + 1
        transaction = Transaction(self._charger, f"{self._charger}/{self._evse}/{number}", "2.0.1", mess)
        transaction.ocpp_id = str(UUID(int=self._draw.getrandbits(128)))
        transaction.energy = Decimal(0)
        if self.clock.is_past:
            transaction.suspect.add("clock_past")
        self.transactions.append(transaction)
        self._seq_no = 0
        return transaction

    def _charge(self, transaction: Transaction) -> None:
        taken = Decimal(self._draw.choice([0, self._draw.randint(1, 25_000)])) / 10
        self._register += taken
        transaction.energy = (transaction.energy or Decimal(0)) + taken

    def _event(self, transaction: Transaction, kind: str, *, offline: bool = False) -> Message:
        context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind, "Sample.Periodic")
        payload = words201.event(
            kind,
            time=self.clock.now(),
            seq_no=self._seq_no,
            transaction=transaction.ocpp_id or "",
            evse=self._evse,
            samples=[words201.sample(self._register, kwh=self._kwh, context=context)],
            offline=offline,
        )
        if kind == "Started":
            payload["idToken"] = {"idToken": self._token, "type": "ISO14443"}
        self._seq_no += 1
        return told(transaction, "TransactionEvent", payload)

    def _differing(self, transaction: Transaction, message: Message) -> Message:
        """The message of this seqNo with another reading."""
        value = message.payload["meterValue"][0]
        sample = {**value["sampledValue"][0]}
        sample["value"] = float(Decimal(str(sample["value"])) + Decimal("3"))
        payload = {**message.payload, "meterValue": [{**value, "sampledValue": [sample]}]}
        return told(transaction, "TransactionEvent", payload)
