"""What is read after a sleep may have come when it began."""

from dataclasses import dataclass

from adapters.mqtt.sleeps import CATCHING_UP, Sleeps


@dataclass
class Hand:
    """A clock that is set by hand."""

    at: float = 1000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def test_what_is_read_while_awake_has_come_now() -> None:
    clock = Hand()
    sleeps = Sleeps(clock)
    for _ in range(5):
        clock.at += 1
        assert sleeps.came_at() == clock.at
        sleeps.awake()


def test_what_is_read_after_a_sleep_may_have_come_when_it_began_until_all_is_read() -> None:
    clock = Hand()
    sleeps = Sleeps(clock)
    clock.at += 60
    assert sleeps.came_at() == 1000, "before the first sign of being awake"
    sleeps.awake()
    clock.at += 1
    sleeps.awake()
    assert sleeps.came_at() == 1000
    clock.at += CATCHING_UP
    sleeps.awake()
    assert sleeps.came_at() == clock.at
