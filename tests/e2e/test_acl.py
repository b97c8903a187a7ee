"""The rights that docs/PROTOCOL.md asks of Redis's ACLs: both programs run with exactly those, and need each of them."""
import os
import re

import pytest

from http_raw import Stream
from private_redis import PrivateRedis
from publish_program import Cgi
from streamer_program import Streamer, publish as emit
from support import TOP, free_port, wait_until

REFUSED = re.compile(r"NOPERM|can't run this command")


def rights(user):
    """The words behind `ACL SETUSER user on >PASSWORD`."""
    with open(os.path.join(TOP, "docs", "PROTOCOL.md"), encoding="utf-8") as file:
        return re.search(rf"^ACL SETUSER {user} on >PASSWORD (.*)$", file.read(), re.M)[1].split()


def commands(user):
    return [word for word in rights(user) if word.startswith("+")]


class Guarded:
    """A Redis whose default user may do everything over the unix socket, and where both programs come with a user."""

    def __init__(self, folder):
        self.port = free_port()
        self.redis = PrivateRedis(folder, "--port", str(self.port))

    def url(self, user, words):
        self.redis.call("ACL", "SETUSER", user, "reset", "on", ">secret", *words)
        return f"redis://{user}:secret@127.0.0.1:{self.port}/0"


@pytest.fixture
def guarded(redis, tmp):
    folder = os.path.join(tmp, "g")
    os.mkdir(folder)
    guarded = Guarded(folder)
    yield guarded
    guarded.redis.stop()


@pytest.fixture
def publisher(guarded, publish_program, processes, tmp):
    """publisher(words): publish with these rights."""
    return lambda words, **settings: Cgi(publish_program, processes, tmp, tokens="boss secret +control\n",
                                         redis_url=guarded.url("tidings-publish", words), **settings)


@pytest.fixture
def streamer(guarded, streamer_program, processes, tmp):
    """streamer(words): a streamer with these rights, not yet started."""
    return lambda words, **settings: Streamer(streamer_program, processes, guarded.url("tidings-streamer", words), tmp,
                                              **settings)


def everything(publish, guarded, prefix=""):
    """All that publish may do at Redis; the statuses of its answers."""
    answers = [publish.event("a", data=1, idempotency_key="k"), publish.event("a", data=1, idempotency_key="k")]
    guarded.redis.call("ZREM", f"{prefix}sse:index", "a")  # then the log has to say what was last
    answers += [publish.event("a", data=2), publish.ask(method="GET", content_type=None, length=None,
                                                       SCRIPT_NAME="/publish/health")]
    answers += [publish.control({"revoke": {"user": "nobody", "seconds": seconds}}) for seconds in (60, 0)]
    answers.append(publish.control({"disconnect": {"user": "nobody"}}))
    assert answers[0].json == answers[1].json or answers[0].status != 200
    return [answer.status for answer in answers]


@pytest.mark.parametrize("prefix", ["", "shop"])
def test_both_programs_run_with_exactly_these_rights(guarded, publisher, streamer, prefix):
    def narrowed(user):
        return [re.sub(r"^([~&])", rf"\1{prefix}:", word) if prefix else word for word in rights(user)]

    running = streamer(narrowed("tidings-streamer"), topic_prefix=prefix).start()
    publish = publisher(narrowed("tidings-publish"), topic_prefix=prefix)
    with running.live("a") as stream:
        assert everything(publish, guarded, f"{prefix}:" if prefix else "") == [200] * 7
        assert [stream.take("message").data for _ in range(2)] == [b"1", b"2"]
    cursor = publish.event("a", data=4).json["id"]
    missed = publish.event("a", data=5).json["id"]
    with Stream(running.address, "/events?topic=a", headers={"Last-Event-ID": cursor}) as resumed:
        assert resumed.take("message").id == missed
        guarded.redis.call("CLIENT", "KILL", "TYPE", "pubsub")
        wait_until(lambda: running.metrics()["redis"]["reconnects"] == 1)
        assert publish.event("a", data=6).status == 200
        assert resumed.take("message").data == b"6"
    with running.live("b") as stream:  # "a" is unsubscribed meanwhile
        assert publish.event("b", data=3).status == 200
        assert stream.take("message").data == b"3"
    assert not REFUSED.search(running.log() + publish.log())


@pytest.mark.parametrize("right", commands("tidings-publish"))
def test_publish_needs_each_of_its_rights(guarded, publisher, right):
    publish = publisher([word for word in rights("tidings-publish") if word != right])
    assert 503 in everything(publish, guarded)
    assert REFUSED.search(publish.log()), publish.log()


@pytest.mark.parametrize("right", commands("tidings-streamer"))
def test_the_streamer_needs_each_of_its_rights(guarded, streamer, right):
    def refused():
        return REFUSED.search(running.log())

    def demand():
        """What is wanted of it without more: after a loss that an event came before, or for one who was away."""
        with guarded.redis.connect() as bus:
            cursor = emit(bus, "a")
            if right == "+zscore":
                stream.take("sse.open"), emit(bus, "a"), stream.take("x")
                bus.call("CLIENT", "KILL", "TYPE", "pubsub")
            elif right == "+xrange":
                emit(bus, "a")
                return Stream(running.address, "/events?topic=a", headers={"Last-Event-ID": cursor})
        return None

    running = streamer([word for word in rights("tidings-streamer") if word != right]).start(ready=False)
    with Stream(running.address, "/events?topic=a") as stream:
        if right == "+unsubscribe":  # wanted when its last listener has left
            stream.opened()
        elif right in ("+zscore", "+xrange"):
            late = demand()
            wait_until(refused, what="a line of the log that says what is refused")
            del late
        else:
            wait_until(refused, what="a line of the log that says what is refused")
    wait_until(refused, what="a line of the log that says what is refused")


def test_a_channel_outside_its_rights_is_503_for_publish_and_busy_for_a_listener(publisher, streamer):
    def only_a(user):
        return [word for word in rights(user) if not word.startswith("&")] + ["&a"]

    running = streamer(only_a("tidings-streamer")).start()
    publish = publisher(only_a("tidings-publish"))
    assert (publish.event("a").status, publish.event("b").status) == (200, 503)
    with running.live("a"), running.open("b") as refused:
        assert refused.take("sse.busy").json == {"detail": "Redis refuses the subscription"}
        refused.wait_closed()


def test_the_right_to_ask_info_is_for_the_warning_of_an_evicting_redis_alone(guarded, streamer):
    guarded.redis.call("CONFIG", "SET", "maxmemory", "100mb")
    guarded.redis.call("CONFIG", "SET", "maxmemory-policy", "volatile-lru")
    warned = streamer(rights("tidings-streamer") + ["+info"]).start()
    wait_until(lambda: "volatile-lru" in warned.log(), what="the warning")
    quiet = streamer(rights("tidings-streamer")).start()
    with quiet.live("a"):
        assert "volatile-lru" not in quiet.log()


def test_a_database_number_asks_for_select_as_well(guarded, publish_program, streamer_program, processes, tmp):
    def run(more):
        urls = [guarded.url(user, rights(user) + more)[:-1] + "2" for user in ("tidings-publish", "tidings-streamer")]
        publish = Cgi(publish_program, processes, tmp, redis_url=urls[0])
        return publish, Streamer(streamer_program, processes, urls[1], tmp).start(ready=False)

    publish, running = run([])
    assert publish.event("a").status == 503
    wait_until(lambda: REFUSED.search(running.log()), what="SELECT is refused")
    publish, running = run(["+select"])
    assert publish.event("a").status == 200
    running.wait_ready()
