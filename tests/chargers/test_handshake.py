"""What chargers say when they connect; the quirk numbers are those of the list of real chargers' misbehaviour."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers

from gateway.chargers.handshake import (
    charger_id,
    chosen_subprotocol,
    credentials,
    mended_request_line,
    offered_subprotocols,
    password_spellings,
)
from gateway.core.errors import HandshakeRefused
from gateway.core.identity import ChargerId, percent_decode, percent_encode

KNOWN = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/ocpp/CP1", "CP1"),
        ("/CP1", "CP1"),
        ("/a/b/c/d/CP1", "CP1"),
        ("/ocpp//CP1", "CP1"),  # quirk 4: a double slash before the identity
        ("/ocpp/CP1/", "CP1"),  # quirk 4: a slash after it
        ("//ocpp//CP1//", "CP1"),
        ("/ocpp/CP%201", "CP 1"),  # quirk 4: percent-encoded
        ("/ocpp/CP%2F1", "CP/1"),
        ("/ocpp/%C3%BC%231", "ü#1"),
        ("http://gateway:9000/ocpp/CP1", "CP1"),  # quirk 3: an absolute URL in the request line
        ("ws://gateway/CP1?token=x", "CP1"),
        ("/ocpp/CP1?x=/y", "CP1"),
        ("/" + "x" * 48, "x" * 48),
    ],
)
def test_the_last_segment_of_any_path_is_the_identity(path: str, identity: str) -> None:
    assert charger_id(path) == ChargerId(identity)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 404), ("", 404), ("//", 404), ("/" + "x" * 49, 400), ("/%ff", 400), ("/%00", 400), ("/%20", 400)],
)
def test_a_path_without_a_usable_identity_is_refused(path: str, status: int) -> None:
    with pytest.raises(HandshakeRefused) as refusal:
        charger_id(path)
    assert refusal.value.status == status


@pytest.mark.parametrize(
    ("sent", "mended"),
    [
        (b"GET /ocpp/CP 1 HTTP/1.1\r\nHost: x\r\n", b"GET /ocpp/CP%201 HTTP/1.1\r\nHost: x\r\n"),
        ("GET /ocpp/ü HTTP/1.1\r\n".encode(), b"GET /ocpp/%C3%BC HTTP/1.1\r\n"),
        (b"GET /ocpp/CP1 HTTP/1.1\r\n\r\n", b"GET /ocpp/CP1 HTTP/1.1\r\n\r\n"),
        (b"garbage\r\n", b"garbage\r\n"),
        (b"\x16\x03\x01\x02\x00\n", b"\x16\x03\x01\x02\x00\n"),
    ],
)
def test_spaces_and_non_ascii_in_the_request_line_are_encoded(sent: bytes, mended: bytes) -> None:
    assert mended_request_line(sent) == mended


@pytest.mark.parametrize(
    ("offered", "preferred", "default", "expected"),
    [
        (["ocpp1.6"], None, None, ("ocpp1.6", "ocpp1.6")),
        (["ocpp2.1", "ocpp1.6"], None, None, ("ocpp2.1", "ocpp2.1")),
        (["ocpp1.6", "ocpp2.0.1"], None, None, ("ocpp1.6", "ocpp1.6")),
        (["ocpp1.6", "ocpp2.0.1"], "ocpp2.0.1", None, ("ocpp2.0.1", "ocpp2.0.1")),
        (["ocpp1.6"], "ocpp2.0.1", None, ("ocpp1.6", "ocpp1.6")),
        (["ocpp1.5", "soap", "ocpp2.0.1"], None, None, ("ocpp2.0.1", "ocpp2.0.1")),
        (["OCPP1.6"], None, None, ("ocpp1.6", "OCPP1.6")),
        (["ocpp1.5"], None, "ocpp1.6", (None, None)),
        ([], None, None, (None, None)),
        ([], None, "ocpp1.6", ("ocpp1.6", None)),  # quirk 1: nothing offered
        ([], "ocpp2.1", "ocpp1.6", ("ocpp2.1", None)),
    ],
)
def test_the_stored_version_wins_then_the_chargers_order(
    offered: list[str], preferred: str | None, default: str | None, expected: tuple[str | None, str | None]
) -> None:
    assert chosen_subprotocol(offered, KNOWN, preferred=preferred, default=default) == expected


def test_subprotocols_are_read_over_several_headers_and_bad_grammar() -> None:
    headers = Headers([("Sec-WebSocket-Protocol", "ocpp1.6, ocpp2.0.1"), ("Sec-WebSocket-Protocol", "ocpp2.1,,")])
    assert offered_subprotocols(headers) == ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]


def test_a_password_need_not_be_utf8_and_may_hold_colons() -> None:
    token = base64.b64encode(b"CP1:\xff\x00:x").decode()
    found = credentials(Headers([("Authorization", f"basic {token}")]))
    assert found is not None
    assert (found.user, found.password) == (b"CP1", b"\xff\x00:x")


@pytest.mark.parametrize("value", ["Bearer x", "Basic ???"])
def test_unreadable_credentials_are_refused(value: str) -> None:
    with pytest.raises(HandshakeRefused) as refusal:
        credentials(Headers([("Authorization", value)]))
    assert refusal.value.status == 401


def test_a_password_sent_without_a_scheme_is_not_told() -> None:
    with pytest.raises(HandshakeRefused) as refused:
        credentials(Headers([("Authorization", "open-sesame")]))
    assert "sesame" not in refused.value.reason


def test_a_password_is_understood_as_hex_and_as_bytes() -> None:  # quirk 9, OCTT TC_085
    assert b"\x01\xab" in password_spellings(b"01ab")
    assert b"01ab" in password_spellings(b"\x01\xab")
    assert b"01AB" in password_spellings(b"\x01\xab")


@given(st.text(min_size=1, max_size=48).filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text)))
def test_an_identity_survives_its_encoding(identity: str) -> None:
    encoded = percent_encode(identity)
    assert percent_decode(encoded) == identity
    assert not set("/+#$") & set(encoded)
    assert ChargerId.from_key(ChargerId(identity).key) == ChargerId(identity)
