"""docs/PROTOCOL.md agrees with the programs where words can be compared: figures, keys in Redis, answers, notices."""
import glob
import os
import re

import pytest

from http_raw import fetch
from publish_program import Cgi
from streamer_program import Streamer
from support import TOP, wait_until

with open(os.path.join(TOP, "docs", "PROTOCOL.md"), encoding="utf-8") as file:
    PROTOCOL = file.read()


TOKENS = "boss secret +control\n"
REVOCATION = {"revoke": {"user": "nobody", "seconds": 60}}


def section(name):
    return re.search(rf"^##+ {name}\n(.*?)^##", PROTOCOL, re.S | re.M)[1]


def first_cells(name):
    """What stands as `code` in the first cell of each row of a section's tables."""
    rows = re.findall(r"^\| (`[^|]*) \|", section(name), re.M)
    return [code for row in rows for code in re.findall(r"`([^`]+)`", row)]


@pytest.fixture
def streamer(streamer_program, processes, redis, tmp):
    return Streamer(streamer_program, processes, redis.url, tmp).start()


def figures():
    """The JSON and the Prometheus names of the table, in its two first cells."""
    rows = [line.split("|")[1:3] for line in section("Health and metrics").splitlines() if line.count("|") == 4]
    json, prometheus = ({name for row in rows for name in re.findall(r"`(\w[\w.]*)", row[i])} for i in (0, 1))
    return json, prometheus


def test_every_figure_has_its_row_and_every_row_its_figure(streamer):
    with streamer.live("a"):
        json = {f"{group}.{name}" if isinstance(value, dict) else group
                for group, value in streamer.metrics().items()
                for name in (value if isinstance(value, dict) else [None])}
        text = fetch(streamer.admin, "/metrics/prometheus").body.decode()
    assert figures() == (json, set(re.findall(r"^# TYPE (\w+)", text, re.M)))


def test_the_reasons_of_closed_connections_are_those_that_are_counted(streamer):
    row = re.search(r"^.*`sse_connections_closed\{reason\}`.*: (.*)\|$", PROTOCOL, re.M)[1]
    assert set(re.findall(r"`(\w+)`", row)) == {re.search('"(.*)"', name)[1] for name in streamer.prometheus()
                                                if name.startswith("sse_connections_closed")}


def test_the_keys_in_redis_are_those_of_the_table(streamer, publish_program, processes, redis, tmp):
    publish = Cgi(publish_program, processes, tmp, tokens=TOKENS, redis_url=redis.url, rate_limit_per_second=1)
    assert publish.control(REVOCATION).status == 200
    with streamer.live("TOPIC"):
        assert publish.ask([{"topic": "TOPIC"}] * 1000).status == 200  # owes for a while, so that sse:rate is there
        names = {key.decode() for key in redis.call("KEYS", "*")}
    assert {re.sub("once:.*", "once:KEY", name) for name in names} == set(first_cells("Keys")) - {"sse:claim:KEY"}
    for name in names:
        assert kind_of(redis, name) == TYPES[re.sub("once:.*", "once:KEY", name)]
    fields = {name.decode() for name in redis.call("HGETALL", "sse:state")[::2]}
    assert fields <= {"last", "mark", "floor"} and "last" in fields


def test_the_keys_of_a_cluster_are_those_of_the_table(publish_program, processes, cluster, tmp):
    publish = Cgi(publish_program, processes, tmp, tokens=TOKENS, redis_url=cluster.url, rate_limit_per_second=1)
    assert publish.control(REVOCATION).status == 200
    assert publish.ask([{"topic": "TOPIC"}] * 1000, HTTP_IDEMPOTENCY_KEY="k").status == 200
    names = {re.sub("(once|claim):.*", r"\1:KEY", re.sub(r"\{[0-9.]+\}:", "", key.decode())): (node, key)
             for node in cluster.nodes for key in node.call("KEYS", "*")}
    assert set(names) == set(first_cells("Keys"))
    for name, (node, key) in names.items():
        assert kind_of(node, key) == TYPES[name]
    node, key = names["sse:state"]
    assert {field.decode() for field in node.call("HGETALL", key)[::2]} == {"last", "mark", "node", "since"}


TYPES = dict(re.findall(r"^\| `(sse:\S+)` \| ([\w ]+) \|", section("Keys"), re.M))


def kind_of(redis, key):
    return redis.call("TYPE", key).decode().replace("zset", "sorted set")


def test_the_members_of_a_message_stand_in_the_order_of_the_example(publish_program, processes, redis, tmp):
    example = re.search(r"^\{\"event\".*\}$", section("Messages"), re.M)[0]
    publish = Cgi(publish_program, processes, tmp, redis_url=redis.url)
    with redis.connect() as tap:
        tap.call("SUBSCRIBE", "comments")
        for _ in range(2):
            answer = publish.ask({"topics": ["comments", "news"], "event": "comment_created", "data": {"id": 17}, "key": "17"},
                                 content_type="application/json")
            assert answer.status == 200
            message = tap.receive()[2].decode()
    assert re.sub(r"\d{10,}-\d+", "ID", message).replace(" ", "") == re.sub(r"\d{10,}-\d+", "ID", example)


def test_the_statuses_of_the_table_are_the_ones_that_publish_gives():
    known = {"200", "204"}
    for path in glob.glob(os.path.join(TOP, "publisher", "*.c")):
        with open(path, encoding="utf-8") as source:
            known |= set(re.findall(r"\b(?:response_error|begin|refuse)\(\s*\w+,\s*(\d{3})\b", source.read()))
    table = section("Publishing")
    assert set(re.findall(r"^\| (\d{3}) \|", table, re.M)) | {"200", "204"} == known


def test_ready_says_one_of_the_reasons_of_the_table(streamer, redis):
    reasons = re.search(r"`/health/ready`.*", section("Health and metrics"))[0]
    redis.kill()
    wait_until(lambda: fetch(streamer.address, "/health/ready").status == 503)
    assert f"`{fetch(streamer.address, '/health/ready').json['reason']}`" in reasons
