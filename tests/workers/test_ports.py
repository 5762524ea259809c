"""Ports that workers share are theirs alone."""

import socket

import pytest

from gateway.chargers.config import ChargersConfig
from gateway.cli.workers import check_node, check_ports, worker_node
from gateway.config import GatewayConfig, Settings
from gateway.core.errors import ConfigurationError
from tests.support.servers import free_port


def settings(port: int, *, node: str = "node", workers: int = 2) -> Settings:
    return Settings(
        gateway=GatewayConfig(node=node, adapters=[], workers=workers),
        chargers=ChargersConfig(host="127.0.0.1", port=port),
    )


def test_a_free_port_may_be_shared() -> None:
    check_ports(settings(free_port()))


def test_a_port_of_another_gateway_s_workers_is_not_silently_shared_with_them() -> None:
    with (
        socket.create_server(("127.0.0.1", 0), reuse_port=True) as other,
        pytest.raises(ConfigurationError, match=r"\[chargers\] host and port"),
    ):
        check_ports(settings(other.getsockname()[1]))


def test_any_free_port_cannot_be_shared() -> None:
    with pytest.raises(ConfigurationError, match="cannot be 0"):
        check_ports(settings(0))


def test_workers_are_nodes_with_names_of_their_own() -> None:
    assert worker_node("node", 3) == "node.3"
    check_node(settings(1, node="n" * 62))
    with pytest.raises(ConfigurationError, match="longer than 64"):
        check_node(settings(1, node="n" * 63))
