"""The certificate that chargers are shown: does it work, for which names, and for how long still?"""

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.chargers.config import ChargersConfig
from gateway.chargers.tls import tls_context
from gateway.cli.doctor.findings import Finding, Findings
from gateway.core.errors import ConfigurationError

_TLS = Findings("tls")
_DAY = 86_400
SOON_DAYS = 14
_RENEW = "renew it; the gateway reads changed files by itself"


def examine_tls(config: ChargersConfig) -> Iterator[Finding]:
    """One line for each certificate of [chargers] tls_certificate."""
    if not config.tls_certificate:
        yield _TLS.ok("chargers connect without TLS, by ws://; that is usual within a home")
        return
    try:
        tls_context(config)
    except ConfigurationError as error:
        yield _TLS.problem(str(error), "mend the files; the key must be the certificate's own, without a password")
        return
    for file, key in zip(config.tls_certificate, config.tls_key, strict=True):
        yield _of_certificate(file, key)


def _of_certificate(file: Path, key: Path) -> Finding:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server.load_cert_chain(file, key)
        shown = _shown(file, server)
    except ssl.SSLCertVerificationError as error:
        return _TLS.problem(f"chargers will not take {file}: {error.verify_message}", _RENEW)
    except (ssl.SSLError, OSError) as error:
        return _TLS.problem(f"{file} cannot be shown to chargers: {error}", "mend the file")
    names = [value for kind, value in shown.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    ends = ssl.cert_time_to_seconds(shown["notAfter"])
    told = f"{file} is valid until {datetime.fromtimestamp(ends, UTC):%Y-%m-%d}"
    if ends - time.time() < SOON_DAYS * _DAY:
        return _TLS.warning(f"{told}, which is soon", _RENEW)
    if not names:
        return _TLS.warning(
            f"{told}, and names no host (subjectAltName)", "make one that names the host which chargers connect to"
        )
    return _TLS.ok(f"{told}; chargers must connect to one of its names: {', '.join(names)}")


def _shown(file: Path, server: ssl.SSLContext) -> dict[str, Any]:
    """The certificate as a client gets it which trusts just this one. Raises ssl.SSLError."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(file)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(10):
        done = 0
        for side in (ours, theirs):
            try:
                side.do_handshake()
                done += 1
            except ssl.SSLWantReadError:
                continue
        if done == 2:
            break
    return ours.getpeercert() or {}
