"""A Redis, or what stands at its address, that answers nonsense, nothing, half of it or no end of it: the connection is
given up and tried again, memory stays bounded, streams stay open, and health says it."""
import pytest

from fake_redis import FakeRedis, array, bulk, message
from faultproxy import Fault, FaultProxy
from http_raw import fetch
from streamer_program import Streamer, publish
from support import wait_until

EVENT = b'{"event":"%s","data":{}}'


@pytest.fixture
def fake(tmp):
    server = FakeRedis(tmp + "/fake.sock")
    yield server
    server.close()


@pytest.fixture
def start(streamer_program, processes, fake, tmp):
    def start(ready=True, **settings):
        return Streamer(streamer_program, processes, fake.url, tmp,
                        **{"redis_timeout_ms": 300, **settings}).start(ready=ready)
    return start


def is_ready(streamer):
    return fetch(streamer.admin, "/health/ready").status == 200


def resident(streamer):
    with open(f"/proc/{streamer.worker_pid()}/statm", encoding="ascii") as file:
        size, pages = file.read().split()[:2]
    if int(size) * 4096 > 1 << 40:
        return 0  # a sanitizer's memory is its own
    return int(pages) * 4096


def take_position(stream, timeout=10):
    """The stream went on after a cut: an id alone says up to where."""
    block = stream.block(timeout=timeout)
    while block.text == b": ping":
        block = stream.block(timeout=timeout)
    assert block.id and not block.event and block.data is None, block


def heals(streamer, fake, stream):
    """Redis is itself again: the stream goes on and hears what comes."""
    fake.answers.clear()
    take_position(stream, timeout=20)
    assert fake.publish(b"a", EVENT % b"after")
    stream.take("after")
    wait_until(lambda: is_ready(streamer))


NONSENSE = {
    "integer": b":1\r\n",
    "status": b"+OK\r\n",
    "nil": b"$-1\r\n",
    "nil_array": b"*-1\r\n",
    "empty_array": b"*0\r\n",
    "text": bulk(b"hello"),
    "integers": b"*3\r\n:1\r\n:2\r\n:3\r\n",
    "kind_nil": b"*3\r\n$-1\r\n$-1\r\n:1\r\n",
    "kind_unknown": array(b"pmessage", b"a", b"a", b"x"),
    "message_of_nil": b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$-1\r\n",
    "message_on_nil": b"*3\r\n$7\r\nmessage\r\n$-1\r\n$1\r\na\r\n",
    "message_of_a_list": b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n*1\r\n:1\r\n",
    "bulk_of_minus_2": b"$-2\r\n",
    "array_of_minus_2": b"*-2\r\n",
    "bulk_not_a_number": b"$x\r\n",
    "bulk_of_2_to_63": b"$9223372036854775807\r\n",
    "array_of_2_to_31": b"*2147483647\r\n",
    "arrays_of_2_to_31": b"*2147483647\r\n" * 7,
    "nested_1000": b"*1\r\n" * 1000,
    "resp3_push": b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n",
    "resp3_map": b"%1\r\n+a\r\n+b\r\n",
    "http": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "zeros": b"\0" * 100,
}


@pytest.mark.parametrize("raw", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_to_a_subscriber_ends_the_connection_and_no_stream(start, fake, raw):
    streamer = start()
    with streamer.live("a") as stream:
        before, met = resident(streamer), fake.met
        fake.answers["SUBSCRIBE"] = raw  # from the next connection on
        fake.subscriber(b"a").send(raw)
        wait_until(lambda: fake.met >= met + 3, what="it was tried again, twice")
        wait_until(lambda: not is_ready(streamer))
        assert resident(streamer) < before + 8 * 1048576
        heals(streamer, fake, stream)
        assert streamer.metrics()["redis"]["errors"] >= 2


@pytest.mark.parametrize("raw", [raw for raw in NONSENSE.values()], ids=NONSENSE)
def test_nonsense_for_a_position_ends_the_connection_and_no_stream(start, fake, raw):
    streamer = start()
    with streamer.live("a") as stream:
        before, met = resident(streamer), fake.met
        fake.answers["EVALSHA"] = fake.answers["EVAL"] = raw
        with streamer.open("b") as waits:
            wait_until(lambda: fake.met >= met + 2, what="it was tried again, twice")
            wait_until(lambda: not is_ready(streamer))
            assert fake.publish(b"a", EVENT % b"meanwhile")
            stream.take("meanwhile")
            assert resident(streamer) < before + 8 * 1048576
            fake.answers.clear()
            waits.take("sse.open")
            assert fake.publish(b"b", EVENT % b"after")
            waits.take("after")
        wait_until(lambda: is_ready(streamer))


@pytest.mark.parametrize("raw", [raw for name, raw in NONSENSE.items() if name in ("http", "zeros", "resp3_push", "nested_1000")])
def test_nonsense_to_a_login_is_tried_again(start, fake, raw):
    fake.answers["PING"] = raw
    streamer = start(ready=False)
    wait_until(lambda: fake.met >= 6)
    assert not is_ready(streamer)
    fake.answers.clear()
    streamer.wait_ready()


@pytest.mark.parametrize("error", [
    "LOADING Redis is loading the dataset in memory", "READONLY You can't write against a read only replica.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "NOPERM this user has no permissions to run the 'evalsha' command", "ERR", "MISCONF Redis is configured to save RDB snapshots",
])
def test_a_position_that_is_refused_is_not_asked_for_in_a_hurry_and_said_once(start, fake, error):
    fake.answers["EVALSHA"] = b"-%s\r\n" % error.encode()
    streamer = start(ready=False)
    with streamer.open("a") as stream:
        assert stream.head.status == 200
        wait_until(lambda: fake.met >= 6)
        assert fetch(streamer.admin, "/health/ready").status == 503
        assert streamer.metrics()["health"] == "unhealthy"
        assert streamer.log().count("asker connection is down") == 1
        assert error.split()[0] in streamer.log()
        fake.answers.clear()
        stream.opened()
        wait_until(lambda: "asker connection is back" in streamer.log())
        assert fake.publish(b"a", EVENT % b"x")
        stream.take("x")


def test_the_pauses_between_refused_positions_grow(start, fake):
    """Each of them twice the one before, so ten attempts take far longer than ten times the first pause."""
    fake.answers["EVALSHA"] = b"-NOPERM no\r\n"
    streamer = start(ready=False)
    wait_until(lambda: "asker connection is down" in streamer.log())
    met = fake.met
    for _ in range(40):  # some 40 round trips, each waiting for nothing
        fetch(streamer.admin, "/health")
    wait_until(lambda: fake.met >= met + 4, timeout=20)
    asked = []
    fake.answers["EVALSHA"] = lambda link, words: asked.append(1) or b"-NOPERM no\r\n"
    with streamer.open("b", timeout=20) as stream:
        wait_until(lambda: len(asked) >= 1, timeout=20)
        fake.answers.clear()
        stream.opened()
    assert streamer.metrics()["redis"]["errors"] < 15


def test_an_error_that_answers_no_subscribe_confirms_none(start, fake):
    """UNSUBSCRIBE may be forbidden; its error must not count as the answer to the SUBSCRIBE behind it."""
    streamer = start()
    with streamer.live("a") as stream:
        fake.subscriber(b"a").send(b"-NOPERM this user has no permissions to run the 'unsubscribe' command\r\n")
        wait_until(lambda: "unsubscribe" in streamer.log())
        held = []
        fake.answers["SUBSCRIBE"] = lambda link, words: held.append((link, words))
        with streamer.open("b") as late:
            wait_until(lambda: held, what="b is subscribed")
            assert fake.publish(b"a", EVENT % b"x")
            stream.take("x")  # what was said before is through
            assert late.block().retry  # and no sse.open: Redis has confirmed nothing
            link, words = held[0]
            link.send(fake.on_subscribe(link, words))
            assert fake.publish(b"b", EVENT % b"first")
            late.take("sse.open")
            late.take("first")


def test_a_confirmation_too_many_opens_nobody_early(start, fake):
    streamer = start()
    with streamer.live("a") as stream:
        link = fake.subscriber(b"a")
        link.send(b"*3\r\n" + bulk(b"subscribe") + bulk(b"a") + b":1\r\n")
        heals(streamer, fake, stream)


def endless(*pieces):
    """Sends the first piece, then the second until nobody listens any more."""
    def send(link, words):
        if link.send(pieces[0]):
            while link.sent < 1 << 28 and link.send(pieces[1]):
                pass
    return send


@pytest.mark.parametrize("first,more", [
    (b"$2000000000\r\n", b"x" * 65536), (b"*65536\r\n", b":1\r\n" * 8192), (b"*3\r\n$7\r\nmessage\r\n$2000000000\r\n", b"x" * 65536),
    (b"", b"*8\r\n" * 8000), (b"+", b"x" * 65536), (b"*65536\r\n" * 6, b"*0\r\n" * 8192), (b"*65536\r\n", bulk(b"x" * 8000) * 8),
], ids=["bulk", "integers", "message", "arrays", "line", "empty_arrays", "texts"])
@pytest.mark.parametrize("question", ["SUBSCRIBE", "EVALSHA"])
def test_an_answer_without_end_is_cut_off_and_takes_no_memory(start, fake, question, first, more):
    streamer = start()
    with streamer.live("a") as stream:
        before = resident(streamer)
        links = []

        def send(link, words):
            links.append(link)
            endless(first, more)(link, words)
        fake.answers[question] = send
        if question == "SUBSCRIBE":
            fake.subscriber(b"a").send(b"nonsense\r\n")
        opened = streamer.open("b")
        wait_until(lambda: len(links) >= 2, timeout=20, what="the first one was cut off")
        assert max(link.sent for link in links) < 16 * 1048576
        wait_until(lambda: not is_ready(streamer))
        assert resident(streamer) < before + 64 * 1048576
        fake.answers.clear()
        opened.take("sse.open", timeout=20)
        opened.close()
        wait_until(lambda: fake.subscriber(b"a") and is_ready(streamer), timeout=20)
        assert streamer.process.poll() is None
        stream.close()


def test_half_a_message_and_then_nothing_is_given_up(start, fake):
    streamer = start()
    with streamer.live("a") as stream:
        whole = message(b"a", EVENT % b"half")
        link = fake.subscriber(b"a")
        fake.answers["PING"] = lambda link, words: b"" if link.channels else b"+PONG\r\n"
        link.send(whole[:-5])
        heals(streamer, fake, stream)


def test_a_message_that_comes_in_crumbs_for_ever_is_given_up(start, fake):
    streamer = start(redis_timeout_ms=100)
    with streamer.live("a") as stream:
        link = fake.subscriber(b"a")
        fake.answers["PING"] = lambda link, words: b"" if link.channels else b"+PONG\r\n"
        link.send(b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$60000\r\n")
        wait_until(lambda: not link.send(b"x"), timeout=20, what="the crumbs are refused")
        heals(streamer, fake, stream)


def test_a_black_hole_is_left_and_tried_again(redis, streamer_program, processes, tmp):
    with FaultProxy(redis.path, tmp + "/p.sock", [Fault(swallow=True) for _ in range(4)]) as proxy:
        streamer = Streamer(streamer_program, processes, proxy.redis_url, tmp, redis_timeout_ms=100).start(ready=False)
        with streamer.open("a") as stream:
            assert stream.head.status == 200
            stream.opened()
        assert proxy.seen >= 6


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_message_that_is_cut_anywhere_is_never_delivered_and_the_stream_goes_on(redis, streamer_program, processes, tmp, reset):
    whole = message(b"a", EVENT % b"cut")
    places = range(1, len(whole))
    with FaultProxy(redis.path, None) as proxy, redis.connect() as bus:
        streamer = Streamer(streamer_program, processes, proxy.redis_url, tmp, redis_timeout_ms=20000).start()
        with streamer.live("a") as stream:
            for place in places:
                proxy.faults.append(Fault(cut_at=(whole[:30], place), reset=reset))
                redis.call("CLIENT", "KILL", "TYPE", "pubsub")  # its next connection has the fault
                take_position(stream)
                bus.call("PUBLISH", "a", EVENT % b"cut")  # ends that connection
                take_position(stream)
            whole_one = publish(bus, "a", name="whole")
            assert stream.take("whole").id == whole_one
        assert b"event: cut" not in stream.raw
        assert streamer.metrics()["redis"]["reconnects"] == 2 * len(places)


# ---- several servers: what they say of each other is data, too ----

NOT_TOLD = {
    "error": b"-ERR no\r\n", "status": b"+OK\r\n", "number": b":7\r\n", "nil": b"$-1\r\n", "no_array": b"*-1\r\n",
    "empty": b"*0\r\n", "text": b"$5\r\nhello\r\n", "words": b"*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
    "nested": b"*1\r\n" * 7 + b":1\r\n", "many": b"*2147483647\r\n", "garbage": b"HTTP/1.1 200 OK\r\n\r\n", "end": b"",
}
WRONG_MAPS = {
    "slots_beyond": b"*1\r\n*3\r\n:0\r\n:16384\r\n*3\r\n$9\r\n127.0.0.1\r\n:6379\r\n$1\r\na\r\n",
    "slots_below": b"*1\r\n*3\r\n:-1\r\n:9\r\n*3\r\n$9\r\n127.0.0.1\r\n:6379\r\n$1\r\na\r\n",
    "no_port": b"*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:0\r\n$1\r\na\r\n",
    "port_beyond": b"*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:70000\r\n$1\r\na\r\n",
    "host_with_newline": b"*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$3\r\na\r\n\r\n:6379\r\n$1\r\na\r\n",
    "long_host": b"*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$999\r\n" + b"h" * 999 + b"\r\n:6379\r\n$1\r\na\r\n",
}


def comes_to_itself(streamer, fake, command):
    """Not ready, alive, and ready once it is told what is so."""
    met = fake.met
    wait_until(lambda: fake.met > met + 1, what="it was tried again")
    assert fetch(streamer.admin, "/health/ready").status == 503
    del fake.answers[command]
    streamer.wait_ready()
    with streamer.live("a"):
        pass


@pytest.mark.parametrize("answer", [*NOT_TOLD, *WRONG_MAPS])
def test_a_wrong_map_of_a_cluster_is_no_map(streamer_program, processes, tmp, answer):
    fake = FakeRedis()
    wrong = {**NOT_TOLD, **WRONG_MAPS}[answer]
    fake.answers["CLUSTER"] = lambda link, words: fake.on_cluster(link, words) if words[1].upper() == b"MYID" else wrong
    url = f"redis://{fake.name},{fake.name}"
    streamer = Streamer(streamer_program, processes, url, tmp, partitions=2, redis_timeout_ms=200).start(ready=False)
    comes_to_itself(streamer, fake, "CLUSTER")
    fake.close()


@pytest.mark.parametrize("answer", [name for name in NOT_TOLD if name not in ("status", "text")])
def test_a_node_that_does_not_say_who_it_is_is_none(streamer_program, processes, tmp, answer):
    fake = FakeRedis()
    fake.answers["CLUSTER"] = lambda link, words: NOT_TOLD[answer] if words[1].upper() == b"MYID" else fake.on_cluster(link, words)
    url = f"redis://{fake.name},{fake.name}"
    streamer = Streamer(streamer_program, processes, url, tmp, partitions=2, redis_timeout_ms=200).start(ready=False)
    comes_to_itself(streamer, fake, "CLUSTER")
    fake.close()


@pytest.mark.parametrize("command", ["SENTINEL", "ROLE"])
@pytest.mark.parametrize("answer", NOT_TOLD)
def test_sentinels_and_masters_that_answer_nonsense_are_not_believed(streamer_program, processes, tmp, command, answer):
    fake = FakeRedis()
    fake.answers[command] = NOT_TOLD[answer]
    url = f"redis+sentinel://{fake.name}/mymaster"
    streamer = Streamer(streamer_program, processes, url, tmp, redis_timeout_ms=200).start(ready=False)
    if command == "SENTINEL" and answer in ("error", "status", "number", "nil", "no_array", "empty", "text", "words", "nested"):
        wait_until(lambda: fetch(streamer.admin, "/health/ready").status == 503, what="nobody is named")
        del fake.answers[command]
        streamer.wait_ready()
    else:
        comes_to_itself(streamer, fake, command)
    fake.close()
