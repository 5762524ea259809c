"""What a Redis URL says: one server, Sentinels that know the primary, or the nodes of a Cluster."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

Address = tuple[str, int]
Kind = Literal["server", "sentinel", "cluster"]

_SCHEMES: dict[str, tuple[Kind, str]] = {
    "redis": ("server", "redis"),
    "rediss": ("server", "rediss"),
    "unix": ("server", "unix"),
    "redis+sentinel": ("sentinel", "redis"),
    "rediss+sentinel": ("sentinel", "rediss"),
    "redis+cluster": ("cluster", "redis"),
    "rediss+cluster": ("cluster", "rediss"),
}
_PORTS: dict[Kind, int] = {"server": 6379, "sentinel": 26379, "cluster": 6379}
_HOST = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[^\[\]:@/?#\s]+))(?::(?P<port>[0-9]{1,5}))?")
_MOST_PORT = 65_535

FORMS = (
    "a Redis URL is redis://host:port/db, rediss://host:port/db, unix:///path?db=0, "
    "redis+sentinel://host:port,host:port/service/db or redis+cluster://host:port,host:port (rediss+... with TLS), "
    "and special characters of user name and password are percent-encoded (/ is %2F, # is %23)"
)


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """`plain` is a URL of one server, for redis-py: its scheme, credentials, database and options hold for all."""

    kind: Kind
    plain: str
    nodes: tuple[Address, ...]
    service: str
    text: str
    """Names the database for people, without credentials."""

    @property
    def tls(self) -> bool:
        return self.plain.startswith("rediss:")


def read_url(url: str) -> RedisUrl:
    """Raises ValueError with the forms that there are, and nothing of the URL: a slip may lie in its password."""
    scheme, _, rest = url.partition("://")
    if scheme not in _SCHEMES:
        raise ValueError(FORMS)
    kind, plain = _SCHEMES[scheme]
    if kind != "server":
        return _many(kind, plain, rest)
    parts = urlsplit(url)
    try:
        # An unreadable port may be the beginning of a password with a slash in it.
        port = parts.port
    except ValueError:
        raise ValueError(FORMS) from None
    if parts.fragment or port == 0:
        raise ValueError(FORMS)
    if plain == "unix":
        return RedisUrl(kind, url, (), "", parts.path)
    address = (parts.hostname or "localhost", port or _PORTS[kind])
    return RedisUrl(kind, url, (address,), "", told(address))


def told(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _many(kind: Kind, plain: str, rest: str) -> RedisUrl:
    """A URL with several hosts, which the standard library does not read."""
    place, _, query = rest.partition("?")
    authority, _, path = place.partition("/")
    credentials, at, hosts = authority.rpartition("@")
    nodes = tuple(_address(host, kind) for host in hosts.split(","))
    parts = path.rstrip("/").split("/")
    service = unquote(parts.pop(0)) if kind == "sentinel" else ""
    database = parts.pop(0) if parts else ""
    allowed = database == "" or (database.isdecimal() and (kind == "sentinel" or int(database) == 0))
    if "#" in rest or parts or not allowed or (kind == "sentinel" and not service):
        raise ValueError(FORMS)
    text = ",".join(map(told, nodes)) + (f"/{service}" if service else "")
    options = f"?{query}" if query else ""
    return RedisUrl(kind, f"{plain}://{credentials}{at}{told(nodes[0])}/{database or 0}{options}", nodes, service, text)


def _address(host: str, kind: Kind) -> Address:
    match = _HOST.fullmatch(host)
    port = int(match["port"] or _PORTS[kind]) if match else 0
    if match is None or not 0 < port <= _MOST_PORT:
        raise ValueError(FORMS)
    return match["six"] or match["name"], port
