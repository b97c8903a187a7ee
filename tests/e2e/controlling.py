"""controlling: publish with a token that may control, and what a streamer is to Redis; for the tests of publish/control."""
import json

import pytest

from publish_program import FastCgi

TOKENS = "boss bossy +control\nshop secret\nward warden a +control b:*\n"
REVOKED, CHANNEL = "sse:revoked", "sse:control"
USER = {"user": "42"}


def revoke(publish, selector, seconds):
    return publish.control({"revoke": {**selector, "seconds": seconds}})


@pytest.fixture
def by(publish_program, processes, tmp):
    """by(redis_url, way, settings): publish, asked by the token of boss if no other one is named."""
    started = []  # each is named by its place in memory

    def start(url, way=FastCgi, **settings):
        started.append(way(publish_program, processes, tmp, tokens=TOKENS, redis_url=url, **settings))
        return started[-1]
    return start


class Subscriber:
    """What a streamer is to Redis."""

    def __init__(self, connection, channel=CHANNEL, subscribe="SUBSCRIBE"):
        self.connection = connection
        connection.call(subscribe, channel)

    def message(self):
        _, _, message = self.connection.receive()
        return json.loads(message)

    def heard(self):
        """All until now, for that a PING is answered behind them."""
        found = []
        self.connection.send("PING")
        while (reply := self.connection.receive())[0] != b"pong":
            found.append(json.loads(reply[2]))
        return found


def revoked(redis, key=REVOKED):
    """{member: the millisecond at which it ends}"""
    words = redis.call("ZRANGE", key, "0", "-1", "WITHSCORES")
    return {member.decode(): int(end) for member, end in zip(words[::2], words[1::2])}


def without_id(message):
    return {name: value for name, value in message.items() if name != "id"}
