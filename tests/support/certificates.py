"""Certificates made by openssl: an authority, and what it signs."""

import ssl
import subprocess
from pathlib import Path

NEW_KEY = {"ECDSA": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"], "RSA": ["-newkey", "rsa:2048"]}


class Authority:
    """A certificate authority with its files in a folder of its own."""

    def __init__(self, folder: Path, name: str = "Operator") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._issued = 0
        self.certificate, self._key = folder / "ca.pem", folder / "ca.key"
        subject = ["-subj", f"/CN={name}", "-days", "2"]
        _openssl("req", "-x509", *NEW_KEY["ECDSA"], "-nodes", "-keyout", self._key, "-out", self.certificate, *subject)

    def issue(self, subject: str, *, names: str | None = None, kind: str = "ECDSA", days: int = 2) -> tuple[Path, Path]:
        """A certificate with this subject (`/O=.../CN=...`) and alternative names, and its key."""
        self._issued += 1
        chain, key, request, extensions = (
            self._folder / f"{self._issued}.{ending}" for ending in ("pem", "key", "csr", "ext")
        )
        extensions.write_text("basicConstraints=CA:FALSE\n" + (f"subjectAltName={names}\n" if names else ""))
        _openssl("req", *NEW_KEY[kind], "-nodes", "-keyout", key, "-out", request, "-subj", subject)
        signing = ["-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial", "-days", str(days)]
        _openssl("x509", "-req", "-in", request, *signing, "-extfile", extensions, "-out", chain)
        return chain, key

    def issue_server(self, kind: str = "ECDSA") -> tuple[Path, Path]:
        """A certificate for 127.0.0.1, and its key."""
        return self.issue("/CN=localhost", names="IP:127.0.0.1", kind=kind)

    def trusting(self, shown: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """How a charger connects that trusts this authority, and shows this certificate."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        if shown is not None:
            context.load_cert_chain(*shown)
        return context


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)
