"""Transactions of OCPP 1.6, as they should be and as real chargers tell them."""

import random
from collections.abc import Iterator
from decimal import Decimal

from tests.chaos.run import words16
from tests.chaos.run.plays import Again, Offline, Online, Pause, Say, Step, new_id, told
from tests.chaos.run.traits import Moments, Traits
from tests.chaos.run.truth import Message, Transaction


class Charging16:
    """The plays of one connector."""

    def __init__(self, charger: str, connector: int, traits: Traits, draw: random.Random, *, pause: float) -> None:
        self.transactions: list[Transaction] = []
        self._charger, self._connector, self._traits, self._draw = charger, connector, traits, draw
        self._pause = pause
        self.clock = Moments(traits.clock)
        self._register = draw.randint(200_000, 900_000)
        self._tag = f"TAG-{draw.randrange(10**8):08d}"
        self._unknown = 0

    def messes(self) -> list[str]:
        found = ["start_again", "stop_again", "stop_differs", "late_meter", "offline"]
        if not self.clock.is_past:
            found += ["start_after_stop", "start_differs"]
        if self._traits.register != "session":
            found += ["missing_stop", "late_stop", "below_start"]
        if self._traits.evses == 1:
            found += ["stop_unknown", "missing_start"]
        return found

    def play(self, mess: str) -> Iterator[Step]:
        match mess:
            case "missing_start":
                yield from self._stop_alone()
            case "missing_stop" | "late_stop":
                yield from self._two(mess)
            case "offline":
                yield Offline()
                yield from self._whole(mess)
                yield Online()
            case _:
                yield from self._whole(mess)

    # ------------------------------------------------------------ whole transactions

    def _whole(self, mess: str) -> Iterator[Step]:
        draw = self._draw
        transaction = self._new(mess)
        meter_start, start = self._register, self._start(transaction)
        yield from self._begin(transaction, start)
        last = meter_start
        for last in self._readings(at_least=1 if mess == "below_start" else 0):
            yield Pause(draw.uniform(0.5, 1.5) * self._pause)
            yield Say(self._sample(transaction, last, meter_start))
        yield Pause(draw.uniform(0.5, 1.5) * self._pause)
        # Where nothing but the register tells two messages apart, it has to.
        self._register = last + draw.choice([draw.randint(1, 900), int(mess in ("stop_unknown", "late_meter"))])
        meter_stop = meter_start - draw.randint(1, 500) if mess == "below_start" else self._register
        transaction.energy = Decimal(self._register - meter_start)
        if mess == "below_start":
            transaction.energy = Decimal(last - meter_start)
            transaction.suspect.add("meter_regression")
        stop = self._stop(transaction, meter_stop)
        yield Say(stop)
        yield from self._afterwards(transaction, start, stop)

    def _begin(self, transaction: Transaction, start: Message) -> Iterator[Step]:
        draw = self._draw
        yield Say(start)
        if draw.random() < 0.5:
            action, payload = words16.status(self._connector, "Charging")
            yield Say(Message(self._charger, action, payload, once=False))
        if transaction.mess == "start_again":
            for _ in range(draw.randint(1, 2)):
                yield Again(start, new_id(draw))
        elif transaction.mess == "start_differs":
            transaction.suspect.add("duplicate_with_differences")
            other = {**start.payload, "meterStart": int(start.payload["meterStart"]) + draw.randint(1, 99)}
            yield Say(told(transaction, "StartTransaction", other, starts=True))

    def _afterwards(self, transaction: Transaction, start: Message, stop: Message) -> Iterator[Step]:
        draw = self._draw
        match transaction.mess:
            case "start_after_stop":
                yield Again(start, new_id(draw))
            case "stop_again":
                yield Again(stop, new_id(draw))
            case "stop_differs":
                transaction.suspect.add("duplicate_with_differences")
                transaction.corrects = 1
                other = {**stop.payload, "meterStop": int(stop.payload["meterStop"]) + draw.randint(1, 99)}
                yield Say(told(transaction, "StopTransaction", other, numbered=True))
            case "late_meter":
                yield Pause(self._pause)
                yield Say(self._sample(transaction, self._register, int(start.payload["meterStart"]), named=True))

    def _two(self, mess: str) -> Iterator[Step]:
        """A transaction without a stop, which the start of the next one ends; its stop may come late."""
        draw = self._draw
        transaction = self._new(mess)
        meter_start, last = self._register, self._register
        yield from self._begin(transaction, self._start(transaction))
        for last in self._readings(at_least=1):
            yield Pause(draw.uniform(0.5, 1.5) * self._pause)
            yield Say(self._sample(transaction, last, meter_start))
        yield Pause(draw.uniform(0.5, 1.5) * self._pause)
        self._register = meter_stop = last + draw.randint(0, 900)
        time = self.clock.now()
        yield Pause(self.clock.step)
        follower = self._new("none")
        follower_start = self._register
        yield Say(self._start(follower))
        if mess == "missing_stop":
            transaction.energy = Decimal(last - meter_start)
            transaction.suspect.add("missing_stop")
        else:
            transaction.energy = Decimal(meter_stop - meter_start)
            transaction.corrects = 1
            yield Say(self._stop(transaction, meter_stop, time=time))
        yield Pause(draw.uniform(0.5, 1.5) * self._pause)
        self._register += draw.randint(1, 5000)
        follower.energy = Decimal(self._register - follower_start)
        yield Say(self._stop(follower, self._register))

    def _stop_alone(self) -> Iterator[Step]:
        """A stop without a start, as some chargers send when they lost theirs."""
        draw = self._draw
        transaction = self._new("missing_start")
        transaction.has_start = False
        transaction.suspect.add("missing_start")
        self._unknown += 1
        named = draw.choice([0, -1, self._unknown])
        meter_start = self._register
        self._register += draw.randint(1, 9000)
        payload = words16.stop(self.clock.now(), self._register, "PowerLoss")
        payload |= {"transactionId": named, "idTag": self._tag}
        if draw.random() < 0.5:
            transaction.energy = Decimal(self._register - meter_start)
            readings = [(meter_start, "Transaction.Begin"), (self._register, "Transaction.End")]
            payload["transactionData"] = [
                {"timestamp": self.clock.now(), "sampledValue": [words16.sample(wh, kwh=self._kwh, context=context)]}
                for wh, context in readings
            ]
        yield Say(told(transaction, "StopTransaction", payload))

    # ------------------------------------------------------------ their parts

    @property
    def _kwh(self) -> bool:
        return self._traits.register == "kwh"

    def _new(self, mess: str) -> Transaction:
        number = len(self.transactions) + 1
        transaction = Transaction(self._charger, f"{self._charger}/{self._connector}/{number}", "1.6", mess)
        if self.clock.is_past:
            transaction.suspect.add("clock_past")
        self.transactions.append(transaction)
        return transaction

    def _start(self, transaction: Transaction) -> Message:
        payload = words16.start(self._connector, self._tag, self.clock.now(), self._register)
        return told(transaction, "StartTransaction", payload, starts=True)

    def _readings(self, *, at_least: int) -> Iterator[int]:
        reading = self._register
        for _ in range(self._draw.randint(at_least, 4)):
            reading += self._draw.randint(1, 2500)
            yield reading

    def _sample(self, transaction: Transaction, wh: int, meter_start: int, *, named: bool = False) -> Message:
        shown = wh - meter_start if self._traits.register == "session" else wh
        samples = [words16.sample(shown, kwh=self._kwh)]
        if self._draw.random() < 0.3:
            samples.append(
                {"value": f"{self._draw.randint(0, 110) / 10}", "measurand": "Power.Active.Import", "unit": "kW"}
            )
        payload = words16.meter(self._connector, self.clock.now(), samples)
        if self._traits.unnamed and not named:
            return told(transaction, "MeterValues", payload)
        return told(transaction, "MeterValues", payload, numbered=True)

    def _stop(self, transaction: Transaction, wh: int, *, time: str | None = None) -> Message:
        payload = words16.stop(time or self.clock.now(), wh, self._draw.choice(["Local", "EVDisconnected", "Remote"]))
        if transaction.mess == "stop_unknown":
            payload["transactionId"] = self._draw.choice([-1, 0])
            return told(transaction, "StopTransaction", payload)
        return told(transaction, "StopTransaction", payload, numbered=True)
