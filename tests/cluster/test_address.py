"""The forms of a Redis URL."""

import pytest

from gateway.cluster.address import read_url


@pytest.mark.parametrize(
    ("url", "nodes", "plain", "text"),
    [
        ("redis://cache", (("cache", 6379),), "redis://cache", "cache:6379"),
        ("rediss://u:p@[::1]:7000/3", (("::1", 7000),), "rediss://u:p@[::1]:7000/3", "[::1]:7000"),
        ("unix:///run/redis.sock?db=1", (), "unix:///run/redis.sock?db=1", "/run/redis.sock"),
        (
            "redis+sentinel://u:p%2F@a,[::1]:7000,c:26380/main%20one/2",
            (("a", 26379), ("::1", 7000), ("c", 26380)),
            "redis://u:p%2F@a:26379/2",
            "a:26379,[::1]:7000,c:26380/main one",
        ),
        ("rediss+sentinel://a/main?ssl_check_hostname=no", (("a", 26379),), "rediss://a:26379/0?ssl_check_hostname=no",
         "a:26379/main"),
        ("redis+cluster://:p@a:7000,b", (("a", 7000), ("b", 6379)), "redis://:p@a:7000/0", "a:7000,b:6379"),
        ("rediss+cluster://a/0/", (("a", 6379),), "rediss://a:6379/0", "a:6379"),
    ],
)  # fmt: skip
def test_a_url_is_read(url: str, nodes: object, plain: str, text: str) -> None:
    read = read_url(url)
    assert (read.nodes, read.plain, read.text) == (nodes, plain, text)
    assert read.tls == url.startswith("rediss")
