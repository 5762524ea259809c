"""Webhooks: an HTTP endpoint that is asked for decisions."""

from adapters.webhooks.adapter import WebhooksAdapter

__all__ = ["WebhooksAdapter"]
