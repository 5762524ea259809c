"""The list of tokens that a charger keeps: rules that the versions share."""

from typing import Any

from gateway.core.errors import CommandInvalid


def tokens_to_send(arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """The tokens of send_local_list. Raises CommandInvalid where one stands twice, or a full list removes one."""
    seen: set[str] = set()
    for token in arguments["tokens"]:
        name = token["token"].casefold()
        if name in seen:
            raise CommandInvalid(f"send_local_list: the token {token['token']!r} stands in the list twice")
        seen.add(name)
        if token["remove"] and arguments["update"] == "full":
            raise CommandInvalid("send_local_list: a full list holds what stays; remove is for a differential update")
    tokens: list[dict[str, Any]] = arguments["tokens"]
    return tokens
