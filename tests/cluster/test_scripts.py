"""Each Lua script by itself, on a real server."""

import time
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import redis

from gateway.cluster.scripts import script
from tests.support.servers import Valkey

MINUTE = 60_000


@pytest.fixture
def client(valkey: Valkey) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey.url) as connection:
        yield connection


def run(client: redis.Redis, name: str, keys: list[str], *arguments: Any) -> Any:
    return client.eval(script(name).source, len(keys), *keys, *arguments)


def test_every_script_tells_its_keys_and_is_tested_here() -> None:
    names = {
        path.name.removesuffix(".lua") for path in files("gateway.cluster.scripts").iterdir() if ".lua" in path.name
    }
    own_source = files("tests.cluster").joinpath("test_scripts.py").read_text()
    for name in names:
        source = script(name).source.decode()
        assert source.startswith("--")
        assert "\n-- KEYS" in source
        assert f'"{name}"' in own_source


def item(epoch: int, serial: int, *, key: bool = False, event: str = "e") -> tuple[list[str], list[Any]]:
    keys = ["owner", "state", *(["answer"] if key else [])]
    return keys, [
        ":CP",
        epoch,
        serial,
        int(key),
        1,
        0,
        0,
        1,
        *(["yes"] if key else []),
        "f",
        "v",
        event,
        "type",
        "body",
    ]


def commit(client: redis.Redis, *items: tuple[list[str], list[Any]], limit: int = 10**6) -> Any:
    keys = ["log", "size", "transactions", *(key for keys, _ in items for key in keys)]
    arguments = [argument for _, arguments in items for argument in arguments]
    return run(client, "commit", keys, len(items), limit, MINUTE, MINUTE, *arguments)


@pytest.mark.parametrize(("stored", "expected"), [({}, 2), ({"epoch": 9}, 2), ({"epoch": 10}, 0), ({"epoch": 11}, 1)])
def test_commit_checks_the_epoch(client: redis.Redis, stored: dict[str, int], expected: int) -> None:
    if stored:
        client.hset("owner", mapping=stored)
    assert commit(client, item(10, 1)) == [expected]
    assert client.xlen("log") == (expected == 0)
    assert client.exists("state") == (expected == 0)


def test_commit_deletes_empty_fields_and_adds_samples(client: redis.Redis) -> None:
    client.hset("owner", "epoch", 10)
    client.hset("state", "gone", "x")
    for serial in (1, 2):
        arguments = [":CP", 10, serial, 0, 2, 0, 1, 0, "gone", "", "kept", serial, f"[{serial}]"]
        assert commit(client, (["owner", "state", "samples"], arguments)) == [0]
    assert client.hgetall("state") == {b"kept": b"2"}
    assert client.lrange("samples", 0, -1) == [b"[1]", b"[2]"]
    assert 0 < client.pttl("samples") <= MINUTE


def test_commit_gives_names_to_transactions(client: redis.Redis) -> None:
    client.hset("owner", "epoch", 10)
    named = [":CP", 10, 1, 3, 0, 0, 0, 1, "yes", "a", "type", "body", 2, "tx-1", "tx-2"]
    unkeyed = [":CP", 10, 2, 2, 0, 0, 0, 0, 1, "tx-3"]
    batch = [
        (["owner", "state", "answer", "name 1", "name 2"], named),
        (["owner", "state", "name 3"], unkeyed),
        item(10, 3, event="b"),
    ]
    assert commit(client, *batch) == [0, 0, 0]
    assert client.mget("name 1", "name 2", "name 3") == [b"tx-1", b"tx-2", b"tx-3"]
    assert all(0 < client.pttl(f"name {number}") <= MINUTE for number in (1, 2, 3))
    assert [fields[b"i"] for _, fields in client.xrange("log")] == [b"a", b"b"]


def test_commit_knows_repeats_and_items_sent_twice(client: redis.Redis) -> None:
    client.hset("owner", "epoch", 10)
    batch = [item(10, 1, key=True, event="a"), item(10, 2, event="b"), item(10, 3, key=True, event="c")]
    assert commit(client, *batch) == [0, 0, b"yes"]
    assert commit(client, *batch) == [0, 0, b"yes"]
    assert [fields[b"i"] for _, fields in client.xrange("log")] == [b"a", b"b"]
    assert 0 < client.pttl("answer") <= MINUTE


def test_commit_keeps_account_of_bytes_and_stops_at_the_limit(client: redis.Redis) -> None:
    client.hset("owner", "epoch", 10)
    size = len(":CP") + len("e") + len("type") + len("body") + 64
    assert commit(client, item(10, 1), item(10, 2), limit=size) == [0, 0]
    assert int(client.hget("size", "total")) == 2 * size
    assert [int(fields[b"n"]) for _, fields in client.xrange("log")] == [size, 2 * size]
    assert commit(client, item(10, 3), limit=2 * size) == b"FULL"
    assert commit(client, item(10, 3), limit=2 * size + 1) == [0]


def test_claim_gives_growing_epochs_from_the_clock(client: redis.Redis) -> None:
    keys = ["owner", "state", "owners", "chargers"]
    client.hset("state", "f", "v")
    epoch, previous, now, fields = run(client, "claim", keys, ":CP", "a", "", 0)
    assert abs(int(epoch) / 1000 - time.time()) < 60
    assert abs(float(now) - time.time()) < 60
    assert (previous, fields) == (b"", [b"f", b"v"])
    client.hset("owner", "epoch", 10**15)
    epoch, previous, *_ = run(client, "claim", keys, ":CP", "b", "", 0)
    assert (int(epoch), previous) == (10**15 + 1, b"a")
    assert client.hgetall("owners") == {b":CP": b"b"}
    # As by a node whose last claim was lost in a failover to a primary whose clock is behind.
    assert int(run(client, "claim", keys, ":CP", "b", "", 10**15 + 9)[0]) == 10**15 + 10


@pytest.mark.parametrize(("epoch", "done"), [("10", 1), ("9", 0), ("11", 0)])
def test_release_needs_the_epoch(client: redis.Redis, epoch: str, done: int) -> None:
    client.hset("owner", mapping={"epoch": 10, "node": "a"})
    client.hset("owners", ":CP", "a")
    assert run(client, "release", ["owner", "owners"], ":CP", epoch) == done
    assert client.hexists("owner", "node") == client.hexists("owners", ":CP") == (not done)


LOST = ["owner", "owners", "state", "log", "size"]


def test_node_lost_marks_and_gives_up_what_the_dead_node_held_in_one_step(client: redis.Redis) -> None:
    client.hset("owner", mapping={"epoch": 10, "node": "dead", "serial": 3})
    client.hset("owners", ":CP", "dead")
    client.hset("state", mapping={"availability": "online", "part/1": "x", "charger": "{}"})
    told = [3, "availability", "offline", "part/1", "", "charger", "{1}", "id", "type", "body"]
    assert run(client, "node_lost", LOST, ":CP", "dead", "10", "2", 11, *told) == 2, "it wrote something meanwhile"
    assert run(client, "node_lost", LOST, ":CP", "dead", "9", "3", 11, *told) == 2, "it was claimed anew meanwhile"
    assert client.hget("state", "availability") == b"online"
    assert run(client, "node_lost", LOST, ":CP", "dead", "10", "3", 11, *told) == 1
    assert client.hgetall("owner") == {b"epoch": b"11", b"serial": b"0"}
    assert not client.exists("owners")
    assert client.hgetall("state") == {b"availability": b"offline", b"charger": b"{1}"}
    ((_, entry),) = client.xrange("log")
    assert (entry[b"c"], entry[b"i"], entry[b"t"], entry[b"b"]) == (b":CP", b"id", b"type", b"body")
    assert entry[b"n"] == client.hget("size", "total") == str(len(":CPidtypebody") + 64).encode()
    assert run(client, "node_lost", LOST, ":CP", "dead", "11", "0", 12, *told) == 0, "it is done"
    assert client.xlen("log") == 1


def test_node_lost_leaves_alone_what_came_back_elsewhere(client: redis.Redis) -> None:
    client.hset("owner", mapping={"epoch": 10, "node": "other", "serial": 0})
    client.hset("owners", ":CP", "dead")
    assert run(client, "node_lost", LOST, ":CP", "dead", "10", "0", 11, 0, "id", "type", "body") == 0
    assert client.hget("owner", "node") == b"other"
    assert not client.exists("owners", "log"), "what the index said was out of date"


def test_lease_is_renewed_with_the_cursor_by_its_holder_only(client: redis.Redis) -> None:
    assert run(client, "lease", ["lease", "cursor"], "me", MINUTE, "1-0") == 0
    client.set("lease", "me", px=MINUTE // 2)
    assert run(client, "lease", ["lease", "cursor"], "me", MINUTE, "2-0") == 1
    assert run(client, "lease", ["lease", "cursor"], "me", MINUTE, "") == 1
    assert run(client, "lease", ["lease", "cursor"], "other", MINUTE, "3-0") == 0
    assert client.get("cursor") == b"2-0"
    assert client.pttl("lease") > MINUTE // 2
    client.set("in_hand", "me")
    assert run(client, "unlease", ["lease", "in_hand"], "other", 1) == 0
    assert client.exists("in_hand")
    assert run(client, "unlease", ["lease", "in_hand"], "me", 0) == 1
    assert client.exists("in_hand")
    client.set("lease", "me")
    assert run(client, "unlease", ["lease", "in_hand"], "me", 1) == 1
    assert not client.exists("in_hand")


def test_attend_counts_who_was_there_within_a_term(client: redis.Redis) -> None:
    client.zadd("there", {"long-gone": 1})
    assert run(client, "attend", ["there"], "a", MINUTE) == 1
    assert run(client, "attend", ["there"], "b", MINUTE) == 2
    assert run(client, "attend", ["there"], "a", MINUTE) == 2


def test_snapshots_leaves_the_twins_memory_out(client: redis.Redis) -> None:
    client.hset("a", mapping={"memory": "m", "charger": "c"})
    assert run(client, "snapshots", ["a", "b"]) == [[b"charger", b"c"], []]


def test_park_needs_the_lease_and_moves_the_cursor(client: redis.Redis) -> None:
    arguments = ["me", 10, "mqtt", "why", 1.5, "7-1", ":CP", "id", "type", "body"]
    keys = ["lease", "dead", "cursor"]
    assert run(client, "park", keys, *arguments) == 0
    client.set("lease", "me")
    assert run(client, "park", keys, *arguments) == 1
    assert client.get("cursor") == b"7-1"
    assert client.xrange("dead")[0][1][b"reason"] == b"why"


def fill(client: redis.Redis, ids: list[str]) -> int:
    """Entries of 100 bytes each."""
    for place, position in enumerate(ids, start=1):
        client.xadd("log", {"c": ":CP", "i": "i", "t": "t", "b": "x" * 31, "n": 100 * place}, id=position)
    client.hset("size", "total", 100 * len(ids))
    return 100 * len(ids)


@pytest.mark.parametrize(
    ("most", "confirmed", "left"),
    [
        (1000, "", 10),
        (999, "", 9),
        (500, "", 5),
        (99, "", 0),
        (0, "", 0),
        (0, "4-0", 7),
        (0, "0-0", 10),
        (500, "9-0", 5),
    ],
)
def test_trim_cuts_by_bytes_behind_the_slowest_reader(
    client: redis.Redis, most: int, confirmed: str, left: int
) -> None:
    fill(client, [f"{number}-0" for number in range(1, 11)])
    trimmed, size = run(client, "trim", ["log", "size"], most, int(time.time() * 2000), confirmed)
    assert (trimmed, size, client.xlen("log")) == (10 - left, 100 * left, left)
    assert int(client.hget("size", "base")) == 1000 - 100 * left


def test_trim_cuts_by_age(client: redis.Redis) -> None:
    now = int(time.time() * 1000)
    fill(client, [f"{now - 2 * MINUTE}-0", f"{now - MINUTE}-0", f"{now}-0"])
    assert run(client, "trim", ["log", "size"], 10**6, MINUTE + MINUTE // 2, "") == [1, 200]


def test_trim_of_an_empty_log_takes_account(client: redis.Redis) -> None:
    client.hset("size", "total", 700)
    assert run(client, "trim", ["log", "size"], 10, 10, "") == [0, 0]
    assert client.hget("size", "base") == b"700"


def test_drop_is_done_by_the_first_who_comes(client: redis.Redis) -> None:
    fill(client, [f"{number}-0" for number in range(1, 11)])
    arguments = ["1-0", "6-0", 500, ":CP", "gap", "ocpp.log.gap", "{}"]
    assert run(client, "drop", ["log", "size"], *arguments) == 1
    assert run(client, "drop", ["log", "size"], *arguments) == 0
    assert client.xlen("log") == 6
    total = 1000 + len(":CPgapocpp.log.gap{}") + 64
    assert client.hgetall("size") == {b"total": str(total).encode(), b"base": b"500"}
    assert client.xrevrange("log", count=1)[0][1][b"n"] == str(total).encode()


def test_later_work_is_scheduled_claimed_and_struck_off(client: redis.Redis) -> None:
    keys, all_keys = ["later", "payloads"], ["later", "payloads", "owners"]
    run(client, "later_schedule", keys, "due", 1, "p")
    run(client, "later_schedule", keys, "far", 10**15, "p")
    ((member, payload, ticket),) = run(client, "later_claim", all_keys, 10, MINUTE, "a")
    assert (member, payload) == (b"due", b"p")
    assert run(client, "later_claim", all_keys, 10, MINUTE, "a") == []
    run(client, "later_schedule", keys, "due", 1, "anew")
    assert run(client, "later_done", keys, "due", ticket) == 0
    ((_, payload, ticket),) = run(client, "later_claim", all_keys, 10, MINUTE, "a")
    assert payload == b"anew"
    assert run(client, "later_done", keys, "due", ticket) == 1
    assert run(client, "later_done", keys, "far", "") == 1
    assert client.exists(*keys) == 0


def test_later_work_for_a_charger_is_left_to_the_node_that_holds_it(client: redis.Redis) -> None:
    keys = ["later", "payloads"]
    for name in (":mine", ":others", ":nobodys"):
        run(client, "later_schedule", keys, f"{name}\nkind\nkey", 1, name)
    client.hset("owners", mapping={":mine": "a", ":others": "b"})
    for node, expected in (("a", {b":mine", b":nobodys"}), ("a", set()), ("c", set()), ("b", {b":others"})):
        claimed = run(client, "later_claim", [*keys, "owners"], 10, MINUTE, node)
        assert {payload for _, payload, _ in claimed} == expected


def test_begin_command_notes_the_first(client: redis.Redis) -> None:
    assert run(client, "begin_command", ["c"], "print", ":CP", "reset", 1.5, MINUTE) == []
    again = run(client, "begin_command", ["c"], "other", ":CP", "reset", 1.5, MINUTE)
    assert again == [b"print", b":CP", b"reset", b"1.5", None, None]
    assert 0 < client.pttl("c") <= MINUTE


@pytest.mark.parametrize(
    ("owner", "epoch", "expected"),
    [({}, "", 0), ({"epoch": 5}, "5", 0), ({"epoch": 5}, "4", 2), ({"epoch": 5, "node": "a"}, "5", 1)],
)
def test_remove_charger_spares_the_connected(
    client: redis.Redis, owner: dict[str, Any], epoch: str, expected: int
) -> None:
    if owner:
        client.hset("owner", mapping=owner)
    client.hset("state", "f", "v")
    keys = ["owner", "state", "settings", "owners", "chargers", "log", "size"]
    assert run(client, "remove_charger", keys, ":CP", epoch, "id", "type", "body") == expected
    assert client.exists("state") == (expected != 0)
    assert client.xlen("log") == (expected == 0)


def test_put_tokens_and_remove_token_keep_list_and_index_together(client: redis.Redis) -> None:
    keys = ["tokens", "index", "stored", "coming"]
    assert run(client, "put_tokens", keys, 1, "b", "B1", "a", "A1") == 2
    assert client.exists("stored", "coming") == client.exists("coming") == 1, "more will come"
    assert run(client, "put_tokens", keys, 0, "b", "B2") == 1
    assert client.exists("stored", "coming") == client.exists("stored") == 1
    assert client.hgetall("tokens") == {b"a": b"A1", b"b": b"B2"}
    assert client.zrange("index", 0, -1) == [b"a", b"b"]
    assert [run(client, "remove_token", keys, "a") for _ in range(2)] == [1, 0]
    assert client.hgetall("tokens") == {b"b": b"B2"}
    assert client.zrange("index", 0, -1) == [b"b"]


def test_of_two_nodes_that_start_together_one_makes_the_first_key(client: redis.Redis) -> None:
    made = [run(client, "first_key", ["keys"], f"digest-{node}", f"key-{node}") for node in "ab"]
    assert made == [1, 0]
    assert client.hgetall("keys") == {b"digest-a": b"key-a"}


QUEUE = ["owner", "waiting", "queued", "later", "payloads"]


def put(
    client: redis.Redis, command: str, *, kind: str = "", elsewhere: str = "", taken: str = "", most: int = 9
) -> Any:
    until = int(time.time() * 1000) + MINUTE
    entry = f"{until}|5000|expired|{kind}\n{{{command}}}"
    return run(client, "queue_put", QUEUE, command, entry, f":CP\nkind\n{command}", until, most, elsewhere, taken)


def take(client: redis.Redis, epoch: int) -> Any:
    return run(client, "queue_take", QUEUE[:4], epoch, ":CP\nkind\n", 1000)


def test_queue_put_leaves_what_is_held_to_its_owner(client: redis.Redis) -> None:
    client.hset("owner", mapping={"epoch": 5, "node": "a"})
    assert put(client, "c1") == [0, b"a"]
    assert put(client, "c1", elsewhere="b") == [0, b"a"]
    assert put(client, "c1", elsewhere="a") == [1, b"a"]
    client.hdel("owner", "node")
    assert put(client, "c2") == [1, b""]
    assert client.zrange("waiting", 0, -1) == [b"c1", b"c2"]
    assert client.zrange("later", 0, -1) == [b":CP\nkind\nc1", b":CP\nkind\nc2"]
    assert client.hvals("payloads") == [b"c1", b"c2"]


def test_queue_put_again_changes_nothing(client: redis.Redis) -> None:
    client.hset("owner", mapping={"epoch": 5, "node": "a"})
    assert [put(client, name, elsewhere="a") for name in ("c1", "c2", "c1")] == [[1, b"a"]] * 3
    assert client.zrange("waiting", 0, -1) == [b"c1", b"c2"]
    assert take(client, 5)[0] == b"c1"
    assert put(client, "c1", elsewhere="a") == [1, b"a"]
    assert client.zrange("waiting", 0, -1) == [b"c2"], "what was taken is not put again"


def test_queue_put_gives_the_place_of_an_older_one_of_the_kind(client: redis.Redis) -> None:
    for name, kind in (("c1", "x"), ("c2", "limit 1"), ("c3", "x y"), ("c4", "")):
        put(client, name, kind=kind)
    answer = put(client, "c5", kind="limit 1", most=4)
    assert (answer[:3], answer[3].endswith(b"{c2}")) == ([1, b"", b"c2"], True)
    assert put(client, "c6", kind="limit 2", most=4) == [0, b""]
    assert client.zrange("waiting", 0, -1) == [b"c1", b"c5", b"c3", b"c4"]
    assert client.hget("queued", "m:c2") == b"superseded"


def test_queue_take_asks_for_the_epoch_and_gives_each_once(client: redis.Redis) -> None:
    began = int(time.time() * 1000)
    for name in ("c1", "c2"):
        put(client, name)
    client.hset("owner", mapping={"epoch": 5})
    assert take(client, 5) is None, "nobody holds the charger"
    client.hset("owner", "node", "a")
    assert take(client, 4) is None
    assert [take(client, 5)[0] for _ in range(2)] == [b"c1", b"c2"]
    assert take(client, 5) is None
    due = client.zscore("later", ":CP\nkind\nc1")
    latest = time.time() * 1000 + MINUTE
    assert began + MINUTE + 1000 <= due <= latest + 1000, "looked at again if it is never struck off"


def test_queue_take_leaves_what_is_overdue(client: redis.Redis) -> None:
    client.hset("owner", mapping={"epoch": 5, "node": "a"})
    client.zadd("waiting", {"old": 1, "lost": 2})
    client.hset("queued", "e:old", "1|0|expired|\n{}")
    put(client, "c1", elsewhere="a")
    assert take(client, 5)[0] == b"c1"
    assert client.zrange("waiting", 0, -1) == [b"old"]


def test_queue_put_lets_wait_again_what_was_taken_under_the_epoch(client: redis.Redis) -> None:
    client.hset("owner", mapping={"epoch": 5, "node": "a"})
    for name in ("c1", "c2"):
        put(client, name, elsewhere="a")
    take(client, 5)
    put(client, "c1", taken="4")
    assert client.zrange("waiting", 0, -1) == [b"c2"]
    for _ in range(2):
        put(client, "c1", taken="5")
        assert client.zrange("waiting", 0, -1) == [b"c1", b"c2"]


@pytest.mark.parametrize(("asked", "outcome"), [("cancelled", b"cancelled"), ("", b"expired")])
def test_queue_end_ends_once_and_tells_it_again(client: redis.Redis, asked: str, outcome: bytes) -> None:
    assert run(client, "queue_end", QUEUE[1:3], "c1", asked) is None
    put(client, "c1")
    for _ in range(2):
        ended, entry = run(client, "queue_end", QUEUE[1:3], "c1", asked)
        assert (ended, entry.endswith(b"{c1}")) == (outcome, True)
        assert client.zcard("waiting") == 0
    assert run(client, "queue_end", QUEUE[1:3], "c1", "superseded") is None
    assert run(client, "queue_end", QUEUE[1:3], "c1", "")[0] == outcome


def test_queue_end_cannot_cancel_what_was_taken_and_tells_a_timeout_of_it(client: redis.Redis) -> None:
    client.hset("owner", mapping={"epoch": 5, "node": "a"})
    put(client, "c1", elsewhere="a")
    take(client, 5)
    assert run(client, "queue_end", QUEUE[1:3], "c1", "cancelled") is None
    assert run(client, "queue_end", QUEUE[1:3], "c1", "")[0] == b"timeout"


def test_hear_command_notes_the_first_node_and_another_in_the_place_of_a_dead_one(client: redis.Redis) -> None:
    def hear(node: str, instead_of: str = "", kept: int = MINUTE) -> Any:
        return run(client, "hear_command", ["command"], node, kept, instead_of)

    assert [hear("a"), hear("b"), hear("a")] == [b"a"] * 3
    assert hear("b", "c") == b"a"
    assert [hear("b", "a"), hear("a")] == [b"b"] * 2
    assert client.pttl("command") <= MINUTE
    hear("b", kept=2 * MINUTE)
    hear("b", kept=1)
    assert client.pttl("command") > MINUTE
