"""Ids of messages that bear none: the same on all nodes, another for each message."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.mqtt.sightings import EDGE, PERIOD, Sightings

MIDDLE = 1_000_000 * PERIOD + PERIOD / 2
Message = tuple[str, bytes, str | None, bytes | None]
MESSAGES = st.tuples(st.sampled_from("ab"), st.sampled_from([b"", b"a"]), st.none() | st.just("a"), st.none())


@given(st.lists(MESSAGES, max_size=20))
def test_every_message_has_an_id_of_its_own_and_the_same_on_every_node(messages: list[Message]) -> None:
    here, there = Sightings(), Sightings()
    ids = [here.ids(*message, now=MIDDLE) for message in messages]
    assert [there.ids(*message, now=MIDDLE + 3) for message in messages] == ids
    assert len(set(ids)) == len(ids)


def test_what_is_said_again_later_has_another_id() -> None:
    sightings = Sightings()
    assert sightings.ids("a", now=MIDDLE) != sightings.ids("a", now=MIDDLE + PERIOD)


@given(st.integers(0, 3), st.floats(0.1, EDGE - 0.1), st.floats(0.1, EDGE - 0.1))
def test_two_nodes_find_each_other_s_id_though_a_period_ended_between_their_clocks(
    before: int, early: float, late: float
) -> None:
    here, there = Sightings(), Sightings()
    for sightings in (here, there):
        for _ in range(before):
            sightings.ids("a", now=MIDDLE)
    end = MIDDLE + PERIOD / 2
    first, second = here.ids("a", now=end - early), there.ids("a", now=end + late)
    assert first[0] != second[0]
    assert second[0] in first
    assert first[0] in second


def test_only_what_was_heard_from_before_the_period_on_is_counted_for_certain() -> None:
    sightings = Sightings()
    sightings.heard_since = MIDDLE
    assert sightings.sighting("a", now=MIDDLE + 1).may_lag
    assert sightings.sighting("a", now=MIDDLE + EDGE + PERIOD / 2).may_lag is False


def test_the_requests_of_one_message_go_on_to_the_same_next_ids_and_keep_their_names() -> None:
    here, there = Sightings(), Sightings()
    there.ids("a", now=MIDDLE)
    (true_id,) = there.ids("a", now=MIDDLE)
    sighting = here.sighting("a", now=MIDDLE)
    (first,) = sighting.ids
    assert sighting.after(f"{first}-limit_a") == (f"{true_id}-limit_a",)
    assert sighting.after(f"{first}-paused") == (f"{true_id}-paused",)
    assert here.ids("a", now=MIDDLE) == there.ids("a", now=MIDDLE)
