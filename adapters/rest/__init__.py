"""REST: chargers, transactions and commands over HTTP, described in openapi/openapi.json."""

from adapters.rest.adapter import RestAdapter
from adapters.rest.config import RestConfig

__all__ = ["RestAdapter", "RestConfig"]
