"""Identities: spelt exactly, and safely wherever they appear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.identity import ChargerId, percent_decode, percent_encode

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=48)


@pytest.mark.parametrize(
    ("identity", "encoded"),
    [
        ("CP001", "CP001"),
        ("a b", "a b"),
        ("a/b+c#d%e$f", "a%2Fb%2Bc%23d%25e%24f"),
        ("tab\t", "tab%09"),
        ("Säule", "S%C3%A4ule"),
        ("充电", "%E5%85%85%E7%94%B5"),
        ("lower%2f", "lower%252f"),
    ],
)
def test_reserved_characters_are_percent_encoded_in_upper_case(identity: str, encoded: str) -> None:
    assert ChargerId(identity).encoded == encoded
    assert percent_decode(encoded) == identity


@given(TEXT)
def test_encoding_can_be_undone_and_is_safe_in_topics(text: str) -> None:
    encoded = percent_encode(text)
    assert percent_decode(encoded) == text
    assert encoded.isascii()
    assert encoded.isprintable()
    assert not set(encoded) & set("/+#$")


@given(TEXT, TEXT | st.just(""))
def test_a_charger_is_found_again_by_its_key(identity: str, tenant: str) -> None:
    charger = ChargerId(identity, tenant)
    assert ChargerId.from_key(charger.key) == charger


def test_keys_of_different_chargers_differ_even_with_colons() -> None:
    assert ChargerId("b:c", "a").key != ChargerId("c", "a:b").key


def test_the_default_tenant_is_not_shown() -> None:
    assert (ChargerId("CP 1").source, str(ChargerId("CP 1"))) == ("/chargers/CP%201", "CP 1")
    assert ChargerId("CP1", "acme").source == "/tenants/acme/chargers/CP1"


@given(TEXT, st.integers(1, 64))
def test_a_charger_has_one_shard(identity: str, shards: int) -> None:
    shard = ChargerId(identity).shard(shards)
    assert 0 <= shard < shards
    assert shard == ChargerId(identity).shard(shards)


def test_shards_do_not_move_with_a_new_version() -> None:
    """Stored data depends on these numbers."""
    assert [ChargerId(f"CP{n}").shard(64) for n in range(4)] == [56, 46, 20, 2]
