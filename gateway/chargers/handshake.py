"""What a charger says when it connects: its identity, its password or certificate, the subprotocols it offers.

Pure functions over the HTTP request and the certificate; tolerant of what real chargers send (quirks 1 to 5 and 9).
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeaderFormat
from websockets.headers import parse_subprotocol
from websockets.http11 import Request

from gateway.core.errors import HandshakeRefused
from gateway.core.identity import MAX_IDENTITY_LENGTH, ChargerId

_REQUEST_LINE = re.compile(rb"\A(\S+) ([^\n]*) (HTTP/\d\.\d)(\r?\n)")
MAX_REQUEST_LINE = 8192
_NOT_IN_A_PATH = re.compile(rb"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True)
class Credentials:
    """User name and password of HTTP Basic authentication, as bytes: OCPP passwords need not be UTF-8."""

    user: bytes
    password: bytes


def mended_request_line(head: bytes) -> bytes:
    """Percent-encode spaces and non-ASCII bytes in the request line's path, which some chargers send raw (quirk 4).

    `head` begins with the whole request line; the rest is returned untouched.
    """
    found = _REQUEST_LINE.match(head)
    if found is None:
        return head
    method, path, protocol, newline = found.groups()
    mended = _NOT_IN_A_PATH.sub(lambda byte: b"%%%02X" % byte[0][0], path)
    return b"%b %b %b%b" % (method, mended, protocol, newline) + head[found.end() :]


def why_no_request(head: bytes | bytearray) -> str | None:
    """Why the first bytes of a connection can begin no HTTP request, None while they may."""
    if head[:2] == b"\x16\x03":
        return "TLS on a listener without it: connect with ws://, or give the listener a certificate"
    line, newline, _ = head[: MAX_REQUEST_LINE + 1].partition(b"\n")
    if len(line) > MAX_REQUEST_LINE:
        return "the request line is too long"
    if not head[:1].isalpha() or (newline and _REQUEST_LINE.match(head) is None):
        return "not HTTP"
    return None


def mend_headers(request: Request) -> None:
    """Supply `Connection: Upgrade` where a charger forgot it beside a right `Upgrade` header (quirk 2)."""
    connection = ", ".join(request.headers.get_all("Connection")).lower()
    if "upgrade" not in connection and request.headers.get_all("Upgrade"):
        if "Connection" in request.headers:
            del request.headers["Connection"]
        request.headers["Connection"] = "Upgrade"


def charger_id(path: str) -> ChargerId:
    """The charger that a request path names: its last segment, percent-decoded.

    Any path before it, doubled and trailing slashes, a query and an absolute URL are tolerated (quirks 3 and 4).
    Raises HandshakeRefused with 404 for no identity, 400 for one that is not UTF-8, too long or unprintable.
    """
    if "://" in path:
        try:
            path = urlsplit(path).path
        except ValueError:
            raise HandshakeRefused(400, "the request line has no URL that can be read", cause="no_charger_id") from None
    segments = [segment for segment in path.partition("?")[0].split("/") if segment]
    if not segments:
        raise HandshakeRefused(
            404, "the path names no charger: connect to /<any path>/<charger id>", cause="no_charger_id"
        )
    try:
        identity = unquote_to_bytes(segments[-1]).decode()
    except UnicodeDecodeError:
        raise HandshakeRefused(400, "the charger id in the path is not UTF-8", cause="bad_charger_id") from None
    if len(identity) > MAX_IDENTITY_LENGTH:
        raise HandshakeRefused(
            400, f"the charger id is longer than {MAX_IDENTITY_LENGTH} characters", cause="bad_charger_id"
        )
    if not identity.strip() or any(char < " " or char == "\x7f" for char in identity):
        raise HandshakeRefused(400, "the charger id is blank or has control characters", cause="bad_charger_id")
    return ChargerId(identity)


def credentials(headers: Headers) -> Credentials | None:
    """The Basic credentials, None where there are none. Raises HandshakeRefused with 401 for unreadable ones."""
    values = headers.get_all("Authorization")
    if not values:
        return None
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "basic":
        # Not told: without a scheme, it is the password itself.
        raise HandshakeRefused(
            401, "the Authorization header must be Basic, with user name and password", cause="no_password"
        )
    try:
        user, _, password = base64.b64decode(token.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        raise HandshakeRefused(401, "the Authorization header is not valid base64", cause="wrong_password") from None
    return Credentials(user, password)


def check_certificate(certificate: Mapping[str, Any], charger: ChargerId, organizations: Sequence[str]) -> None:
    """Whether a verified client certificate, as `ssl.SSLSocket.getpeercert` tells it, is this charger's own.

    Its common name must be the identity (2.x part 2, A00.FR.405, and the security extension of 1.6), or its
    serialNumber or a DNS name must be; where `organizations` are given, it must name one of them (A00.FR.404). Raises
    HandshakeRefused with 403.
    """
    subject: dict[str, list[str]] = {}
    for key, value in (pair for pairs in certificate.get("subject", ()) for pair in pairs):
        subject.setdefault(key, []).append(value)
    named = [*subject.get("commonName", ()), *subject.get("serialNumber", ())]
    hosts = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
    if charger.identity not in named and charger.identity.lower() not in (host.lower() for host in hosts):
        told = ", ".join([*named, *hosts]) or "nobody"
        raise HandshakeRefused(
            403, f"the client certificate is not this charger's: it names {told[:300]}", cause="wrong_certificate"
        )
    owners = subject.get("organizationName", [])
    if organizations and not any(owner in organizations for owner in owners):
        told = ", ".join(owners) or "none"
        raise HandshakeRefused(
            403, f"the client certificate is of another organization: {told[:300]}", cause="wrong_certificate"
        )


def password_spellings(password: bytes) -> list[bytes]:
    """The ways in which a charger may have meant its password: as sent, from hex, or as hex (quirk 9)."""
    spellings = [password]
    with suppress(ValueError):
        spellings.append(bytes.fromhex(password.decode("ascii")))
    spellings += [spelt for meant in spellings[::-1] for spelt in (meant.hex().encode(), meant.hex().upper().encode())]
    return list(dict.fromkeys(spellings))


def offered_subprotocols(headers: Headers) -> list[str]:
    """What the charger offers, in its order; a header that breaks the grammar is split at its commas."""
    offered: list[str] = []
    for value in headers.get_all("Sec-WebSocket-Protocol"):
        try:
            offered += parse_subprotocol(value)
        except InvalidHeaderFormat:
            offered += [part.strip() for part in value.split(",") if part.strip()]
    return offered


def chosen_subprotocol(
    offered: Sequence[str], known: Sequence[str], *, preferred: str | None, default: str | None
) -> tuple[str | None, str | None]:
    """Which version is spoken, and how the handshake's answer spells it: (subprotocol, header).

    The choice stored for the charger wins where the charger offers it, else the first it offers that we know. A
    charger that offers nothing is spoken to in the stored or the default version, with no header (quirk 1). Offers
    are compared without case. (None, None) where there is none in common.
    """
    if not offered:
        fallback = preferred or default
        return (fallback, None) if fallback in known else (None, None)
    by_name = {name.lower(): name for name in reversed(offered)}
    if preferred in known and preferred in by_name:
        return preferred, by_name[preferred]
    for name in offered:
        if name.lower() in known:
            return name.lower(), name
    return None, None
