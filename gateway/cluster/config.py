"""The cluster's settings."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from gateway.cluster.address import read_url

DAY = 86_400.0

EMBEDDED_LOG_BYTES = 32 * 1024**2
"""Some days of a home's events, on a board with little memory."""


class ClusterConfig(BaseModel):
    """Where Redis or Valkey is, and how much of what it keeps for how long."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = Field(
        None,
        description="redis://, rediss:// or unix:// URL of Redis (6.2 or newer) or Valkey; redis+sentinel://host:port,"
        "host:port/service/db for the primary that Sentinels name, redis+cluster://host:port,host:port for a Cluster "
        "(rediss+... with TLS); none: an embedded Valkey",
    )
    sentinel_username: str | None = Field(None, description="User name at the Sentinels, which have users of their own")
    sentinel_password: SecretStr | None = Field(None, description="Password at the Sentinels")
    ca_file: Path | None = Field(None, description="PEM file with the CA that signed the certificates of Redis")
    certificate: Path | None = Field(None, description="PEM file with the gateway's own client certificate for Redis")
    key: Path | None = Field(None, description="PEM file with the client certificate's private key")
    shards: int | None = Field(
        None,
        ge=1,
        le=99,
        description="Shards of the log; set once per database, 4 where nothing is said, 64 in a Cluster",
    )
    log_max_bytes: int = Field(
        256 * 1024**2,
        ge=1024,
        description="Size of the whole log, in bytes, that is kept for readers which come late; by default 32 MiB "
        "where the Valkey is embedded, as all of it is in memory",
    )
    log_max_age: float = Field(7 * DAY, gt=0, description="Seconds that a confirmed entry of the log is kept")
    log_hard_max_bytes: int = Field(
        1024**3, ge=4096, description="Size of the whole log at which `on_log_full` takes hold"
    )
    on_log_full: Literal["stop_answering", "drop_oldest"] = Field(
        "stop_answering",
        description="At the hard limit: take no more from chargers, which then queue, or drop the oldest entries",
    )
    transaction_retention: float = Field(
        90 * DAY, gt=0, description="Seconds that a transaction's record is kept after its last change"
    )
    idempotency_retention: float = Field(
        7 * DAY, gt=0, description="Seconds in which a charger's repeated message is recognised"
    )
    command_retention: float = Field(DAY, gt=0, description="Seconds that a command and its result are kept")
    reader_retention: float = Field(
        DAY, gt=0, description="Seconds after which the log waits no longer for a reader that no node runs"
    )
    wait_for_replicas: int = Field(
        0, ge=0, description="Replicas of Redis that must have a commit before the charger is answered (WAIT); 0: none"
    )
    replica_timeout: float = Field(
        2.0, gt=0, description="Seconds that replicas may take for it; after them the commit is tried again"
    )
    dead_letters_max: int = Field(10_000, ge=1, description="Dead letters kept per shard; the oldest go first")
    node_term: float = Field(10.0, gt=0, description="Seconds of silence after which a node counts as dead")
    lease_term: float = Field(
        10.0, gt=0, description="Seconds of silence after which another node reads a shard of the log"
    )
    projection_interval: float = Field(
        2.0, ge=0, description="Seconds between two updates of one charger's retained state, at the least"
    )

    @field_validator("url")
    @classmethod
    def _url_is_a_redis(cls, url: str | None) -> str | None:
        if url is not None:
            read_url(url)
        return url

    @model_validator(mode="after")
    def _little_is_kept_in_an_embedded_server(self) -> Self:
        if self.url is None and "log_max_bytes" not in self.model_fields_set:
            self.log_max_bytes = min(EMBEDDED_LOG_BYTES, self.log_hard_max_bytes)
        return self

    @model_validator(mode="after")
    def _certificate_and_key_go_together(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together: one is set, the other is not")
        return self
