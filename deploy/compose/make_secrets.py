"""Makes the passwords, keys and certificates of compose.yml, each once: what is there stays.

Each service gets a folder of its own below the one that is named, and mounts nothing but that. With --show it prints
what a person needs to log in.
"""

import argparse
import base64
import hashlib
import os
import secrets
import subprocess
from pathlib import Path

MQTT_USERS = ("gateway", "billing", "automation")
MOSQUITTO_UID = 1883
DAYS = "3650"


class Folder:
    """Where the files of one service are. Only that service mounts it, whatever user it runs as."""

    def __init__(self, path: Path, mode: int = 0o444) -> None:
        self.path, self._mode = path, mode
        path.mkdir(parents=True, exist_ok=True)

    def text(self, name: str, make: str) -> str:
        """The text of a file, which is written with `make` where it is not there."""
        file = self.path / name
        if not file.exists():
            unfinished = self.path / f".{name}"
            unfinished.write_text(f"{make}\n")
            unfinished.chmod(self._mode)
            unfinished.rename(file)
        return file.read_text().removesuffix("\n")


def new_secret() -> str:
    return secrets.token_urlsafe(24)


def mosquitto_line(user: str, password: str) -> str:
    """A line of mosquitto's password file: PBKDF2 with SHA-512."""
    salt, rounds = secrets.token_bytes(12), 1000
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    return f"{user}:$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def sha256(password: str) -> str:
    """As Valkey's ACL files want it."""
    return hashlib.sha256(password.encode()).hexdigest()


def openssl(*arguments: str, stdin: str | None = None) -> str:
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"openssl {arguments[0]}: {done.stderr}")
    return done.stdout


def new_key() -> str:
    return openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256").strip()


def new_authority(folder: Folder) -> str:
    key = folder.text("ca.key", new_key())
    if not (folder.path / "ca.pem").exists():
        request = ["req", "-x509", "-new", "-key", "/dev/stdin", "-days", DAYS, "-subj", "/CN=OCPP gateway CA"]
        return folder.text("ca.pem", openssl(*request, stdin=key).strip())
    return (folder.path / "ca.pem").read_text().strip()


def new_certificate(authority: Folder, key: str, names: list[str]) -> str:
    """A certificate for a server of these names, signed by our own authority."""
    work = authority.path / "request"
    alternatives = ",".join(f"DNS:{name}" for name in names)
    work.write_text(key)
    work.chmod(0o600)
    try:
        request = openssl("req", "-new", "-key", str(work), "-subj", f"/CN={names[0]}")
        work.write_text(f"subjectAltName={alternatives}\nextendedKeyUsage=serverAuth\n")
        by = ["-CA", str(authority.path / "ca.pem"), "-CAkey", str(authority.path / "ca.key")]
        return openssl("x509", "-req", *by, "-days", DAYS, "-extfile", str(work), stdin=request).strip()
    finally:
        work.unlink()


def make_all(root: Path, domain: str) -> dict[str, str]:
    """Make what is missing; what a person needs to know of it."""
    authority, users = Folder(root / "authority", 0o400), Folder(root / "authority" / "mqtt-users", 0o400)
    gateway, valkey, mosquitto, haproxy, prometheus, grafana = (
        Folder(root / name) for name in ("gateway", "valkey", "mosquitto", "haproxy", "prometheus", "grafana")
    )
    ca = new_authority(authority)
    passwords = {user: users.text(user, new_secret()) for user in MQTT_USERS}
    redis_password, operator = (authority.text(f"redis-{user}", new_secret()) for user in ("gateway", "operator"))

    admin_key = gateway.text("rest.admin_key", new_secret())
    gateway.text("rest.metrics_key", new_secret())
    gateway.text("redis.url", f"redis://gateway:{redis_password}@valkey:6379/0")
    gateway.text("mqtt.username", "gateway")
    gateway.text("mqtt.password", passwords["gateway"])
    gateway.text("ca.pem", ca)

    valkey.text(
        "users.acl",
        "user default off\n"
        "user health on nopass -@all +ping\n"
        f"user gateway on #{sha256(redis_password)} ~ocpp:* &ocpp:* +@all -@admin -@dangerous +info\n"
        f"user operator on #{sha256(operator)} ~* &* +@all",
    )

    mosquitto.text("passwords", "\n".join(mosquitto_line(user, password) for user, password in passwords.items()))
    mosquitto.text("ca.pem", ca)
    if not (mosquitto.path / "server.pem").exists():
        mosquitto.text("server.pem", new_certificate(authority, mosquitto.text("server.key", new_key()), names(domain)))
    if not (haproxy.path / "server.pem").exists():
        key = new_key()
        haproxy.text("server.pem", f"{new_certificate(authority, key, names(domain))}\n{ca}\n{key}")

    prometheus.text("metrics_key", (gateway.path / "rest.metrics_key").read_text().strip())
    grafana_password = grafana.text("admin_password", new_secret())
    if os.geteuid() == 0:
        # Mosquitto warns of files that others may read.
        for file in mosquitto.path.iterdir():
            os.chown(file, MOSQUITTO_UID, MOSQUITTO_UID)
            file.chmod(0o400)
    logins = {f"MQTT user {user}": password for user, password in passwords.items() if user != "gateway"}
    logins |= {"Valkey user operator": operator, "Grafana user admin": grafana_password}
    return {"REST API key (admin)": admin_key, **logins, "CA": f"\n{ca}"}


def names(domain: str) -> list[str]:
    """The names that a server's certificate is for, the public one first."""
    return list(dict.fromkeys([domain, "mosquitto", "haproxy", "localhost"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--show", action="store_true", help="print what a person needs to log in")
    given = parser.parse_args()
    os.umask(0o077)
    made = make_all(given.folder, os.environ.get("DOMAIN") or "localhost")
    if given.show:
        print("\n".join(f"{what}: {secret}" for what, secret in made.items()))  # noqa: T201  it is asked for
    else:
        print("All secrets are there. To see them: docker compose run --rm secrets --show")  # noqa: T201


if __name__ == "__main__":
    main()
