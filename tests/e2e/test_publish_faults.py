"""publish while Redis, the network, the web server or an administrator does its worst: nothing is lost that was
acknowledged, nothing is published twice, and every answer comes in time."""
import os
import signal
import socket
import subprocess
import threading

import pytest

from faultproxy import Fault, FaultProxy
from publish_program import Cgi, FastCgi, make_params
from support import clean_environment, wait_until


@pytest.fixture
def publish(publish_program, processes, tmp, redis):
    return FastCgi(publish_program, processes, tmp, redis_url=redis.url, redis_timeout_ms=300)


@pytest.fixture
def through(publish_program, processes, tmp, redis):
    """through(fault, …) gives publish behind a proxy whose connections meet these faults, in their order."""
    proxies = []

    def make(*faults, way=FastCgi, **settings):
        proxy = FaultProxy(redis.path, os.path.join(tmp, f"x{len(proxies)}"), faults)
        proxies.append(proxy)
        publish = way(publish_program, processes, tmp, redis_url=proxy.redis_url, **settings)
        publish.proxy = proxy
        return publish

    yield make
    for proxy in proxies:
        proxy.close()


def log(redis, topic="comments"):
    return [entry[0].decode() for entry in redis.call("XRANGE", f"sse:log:{topic}", "-", "+")]


class Listener:
    """Counts what is published live on a channel."""

    def __init__(self, redis, channel="comments"):
        self.redis = redis.connect()
        self.redis.call("SUBSCRIBE", channel)

    def heard(self):
        """All until now: a PING's answer comes behind them."""
        messages = []
        self.redis.send("PING")
        while True:
            reply = self.redis.receive()
            if reply[0] == b"pong":
                return messages
            messages.append(reply[2])


# ---- Redis away, frozen, restarted ----

def test_it_starts_without_redis_and_publishes_when_it_is_there(publish_program, processes, tmp, redis):
    redis.stop()
    publish = FastCgi(publish_program, processes, tmp, redis_url=redis.url)
    assert publish.event().status == 503
    redis.start()
    assert publish.event().status == 200


def test_a_restart_between_requests_loses_and_doubles_nothing(publish, redis):
    acknowledged = []
    for restart in (redis.stop, redis.kill, redis.stop):
        acknowledged.append(publish.event().json["id"])
        restart()
        redis.start()
        acknowledged.append(publish.event().json["id"])
    assert log(redis) == acknowledged
    assert acknowledged == sorted(acknowledged, key=lambda text: [int(part) for part in text.split("-")])


def test_a_killed_redis_costs_503s_and_not_an_event(publish, redis):
    first = publish.event().json["id"]
    redis.kill()
    answers = [publish.event() for _ in range(3)]
    assert all(answer.status == 503 and answer.seconds < 1 for answer in answers)
    redis.start()
    assert log(redis) == [first]
    assert publish.event().status == 200
    assert len(log(redis)) == 2


def test_a_frozen_redis_gives_503_within_the_limit_and_a_repeated_key_does_not_double(publish, redis):
    listener = Listener(redis)
    assert publish.event().status == 200
    redis.pause()
    answer = publish.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status == 503
    assert 0.25 < answer.seconds < 1
    assert "whether it was published is not known" in answer.detail
    assert answer.headers["retry-after"] == "1"
    redis.resume()
    again = publish.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k")
    assert again.status == 200
    assert log(redis)[1:] == [again.json["id"]]
    assert len(listener.heard()) == 2


def test_a_frozen_redis_gives_503_to_a_plain_cgi_program_too(publish_program, processes, tmp, redis):
    publish = Cgi(publish_program, processes, tmp, redis_url=redis.url, redis_timeout_ms=300)
    redis.pause()
    answer = publish.event()
    assert answer.status == 503
    assert answer.seconds < 1.3


def test_health_of_a_frozen_redis_is_503_within_the_limit(publish, redis):
    redis.pause()
    answer = publish.ask(method="GET", PATH_INFO="/health")
    assert answer.status == 503
    assert answer.seconds < 1


def test_trouble_is_logged_once_and_its_end_too(publish, redis):
    publish.event()
    redis.stop()
    for _ in range(5):
        publish.event()
    redis.start()
    publish.event()
    assert publish.log().count("can't be reached") == 1
    assert publish.log().count("Redis takes events again") == 1


# ---- the connection breaks ----

def measure(through, way):
    """Bytes that pass for one event from a program that has just started, when Redis knows the script."""
    through(way=Cgi).event()
    warm = through(way=Cgi)
    assert warm.event().status == 200
    return warm.proxy.passed[way]


def test_a_connection_cut_anywhere_in_the_reply_is_retried_without_doubling(through, redis):
    listener = Listener(redis)
    reply = measure(through, "down")
    acknowledged = []
    for cut in range(reply + 1):
        publish = through(Fault(cut_down=cut), way=Cgi)
        answer = publish.event()
        assert answer.status == 200, (cut, answer)
        assert publish.proxy.seen == (2 if cut < reply else 1)
        acknowledged.append(answer.json["id"])
    assert log(redis)[2:] == acknowledged
    assert len(listener.heard()) == 2 + len(acknowledged)


@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_cut_in_the_request_is_retried_without_doubling(through, redis, reset):
    request = measure(through, "up")
    acknowledged = []
    for cut in [0, 1, 2, 50, request // 2, request - 2, request - 1]:
        publish = through(Fault(cut_up=cut, reset=reset), way=Cgi)
        answer = publish.event()
        assert answer.status == 200, (cut, answer)
        assert publish.proxy.seen == 2
        acknowledged.append(answer.json["id"])
    assert log(redis)[2:] == acknowledged


def test_a_batch_cut_in_its_reply_gives_all_its_ids_again(through, redis):
    publish = through(Fault(cut_down=None))
    publish.event("warm")
    publish = through(Fault(cut_down=30))
    answer = publish.ask([{"topic": "a"}, {"topics": ["a", "b"]}])
    assert answer.status == 200
    assert log(redis, "a") == answer.json["ids"]
    assert log(redis, "b") == answer.json["ids"][1:]


def test_a_second_break_is_503_with_an_unknown_outcome(through, redis):
    through().event("warm")
    publish = through(Fault(cut_down=5), Fault(cut_down=5))
    answer = publish.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status == 503
    assert "not known" in answer.detail
    assert publish.proxy.seen == 2
    again = publish.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k")
    assert again.status == 200
    assert log(redis) == [again.json["id"]]


def test_a_connection_closed_while_idle_is_no_break(through, redis):
    publish = through(Fault(), Fault(cut_down=5))
    publish.event()
    redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    wait_until(lambda: not publish.proxy.open_links)
    answer = publish.event()  # on a new connection, which breaks: the one retry is still there
    assert answer.status == 200
    assert publish.proxy.seen == 3
    assert len(log(redis)) == 2


def test_a_black_hole_gives_503_within_the_limit(through, redis):
    publish = through(Fault(swallow=True), redis_timeout_ms=300)
    answer = publish.event()
    assert answer.status == 503
    assert 0.25 < answer.seconds < 1
    assert publish.event().status == 200  # the connection was thrown away
    assert len(log(redis)) == 1


def test_a_late_answer_is_not_taken_for_the_answer_to_something_else(through, redis):
    through().event("warm")
    publish = through(Fault(delay_down=0.6), redis_timeout_ms=200)
    assert publish.event("late").status == 503
    answer = publish.event("next")
    assert answer.status == 200
    assert log(redis, "next") == [answer.json["id"]]
    wait_until(lambda: len(log(redis, "late")) == 1)
    assert log(redis, "late") != log(redis, "next")


def test_a_slow_answer_within_the_limit_is_waited_for(through, redis):
    answer = through(Fault(delay_down=0.2), redis_timeout_ms=2000).event()
    assert answer.status == 200
    assert log(redis) == [answer.json["id"]]


# ---- Redis forgets ----

def test_ids_go_on_and_the_loss_is_marked_when_redis_forgets(publish, redis):
    before = publish.event().json["id"]
    redis.call("FLUSHALL")
    redis.call("SCRIPT", "FLUSH")
    after = publish.event().json["id"]
    assert [int(part) for part in after.split("-")] > [int(part) for part in before.split("-")]
    assert redis.call("HGET", "sse:state", "mark").decode() == after


def test_a_redis_of_the_past_does_not_take_ids_back(publish, redis):
    before = publish.event().json["id"]
    redis.call("HSET", "sse:state", "last", "1000-0")  # as after a failover to a replica that lagged
    after = publish.event().json["id"]
    assert [int(part) for part in after.split("-")] > [int(part) for part in before.split("-")]
    assert redis.call("HGET", "sse:state", "mark").decode() == after


def test_a_full_redis_takes_nothing_at_all(publish, redis):
    redis.call("CONFIG", "SET", "maxmemory", "1")
    answer = publish.ask([{"topic": "a"}, {"topic": "b"}])
    assert answer.status == 503
    assert "out of memory" in answer.detail
    redis.call("CONFIG", "SET", "maxmemory", "0")
    assert redis.call("KEYS", "sse:log:*") == []


def test_a_right_that_is_missing_publishes_nothing_at_all(publish, redis):
    redis.call("ACL", "SETUSER", "default", "resetchannels", "&a")
    answer = publish.ask([{"topic": "a"}, {"topic": "b"}])
    assert answer.status == 503
    assert "access rules" in answer.detail
    redis.call("ACL", "SETUSER", "default", "allchannels")
    assert redis.call("KEYS", "sse:log:*") == []


# ---- the web server and its processes ----

@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_an_idle_process_leaves_at_once_when_asked(publish, processes, how):
    assert publish.event().status == 200
    assert processes.stop(publish.process, how, timeout=2) == 0


def test_a_busy_process_finishes_its_request_first(through, redis):
    publish = through(redis_timeout_ms=10000)
    publish.event()
    redis.pause()
    before = publish.proxy.passed["up"]
    request = publish.begin('{"topic":"comments"}').send_body(b'{"topic":"comments"}').end_body()
    wait_until(lambda: publish.proxy.passed["up"] > before)
    publish.process.send_signal(signal.SIGTERM)
    redis.resume()
    assert b"Status: 200" in request.answer()
    assert publish.process.wait(2) == 0
    assert len(log(redis)) == 2


def test_a_process_asked_to_stop_amid_a_body_takes_the_rest_of_it(publish, redis):
    blanks = b" " * 900000  # far more than the socket holds: when it is sent, the process is reading
    request = publish.begin(blanks + b'{"topic":"comments"}').send_body(blanks)
    publish.process.send_signal(signal.SIGTERM)
    request.send_body(b'{"topic":"comments"}').end_body()
    assert b"Status: 200" in request.answer()
    assert publish.process.wait(2) == 0
    assert len(log(redis)) == 1


def test_processes_that_share_a_socket_share_the_work_and_leave_one_by_one(publish_program, processes, tmp, redis):
    publish = FastCgi(publish_program, processes, tmp, count=3, redis_url=redis.url)
    results = []

    def send_some():
        for _ in range(20):
            results.append(publish.event().status)

    threads = [threading.Thread(target=send_some) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [200] * 120
    for process in publish.running[:-1]:
        assert processes.stop(process, timeout=2) == 0
        assert publish.event().status == 200
    assert publish.stop() == [0, 0, 0]


def test_a_web_server_that_gives_up_costs_its_request_only(publish, redis):
    for body in (b"", b'{"topic":'):
        publish.begin('{"topic":"comments"}').send_body(body).close()
    request = publish.begin('{"topic":"comments"}').send_body(b'{"topic":"comments"}').end_body()
    request.close()  # does not wait for the answer
    assert publish.event().status == 200
    assert publish.process.poll() is None


def test_a_cgi_program_whose_output_nobody_reads_ends_in_order(publish_program, tmp, redis):
    body = b'{"topic":"comments"}'
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run([publish_program], input=body, stdout=writer, stderr=subprocess.DEVNULL, check=False, timeout=20,
                         env=clean_environment(SSE_PUBLISH_AUTH="none", SSE_REDIS_URL=redis.url, **make_params(body=body)))
    os.close(writer)
    assert ran.returncode == 1
    assert len(log(redis)) == 1


@pytest.mark.parametrize("length", ["right", None])
def test_a_refusal_is_not_lost_with_the_body_that_it_left_unread(publish_program, redis, length):
    """Apache's mod_cgid makes stdin and stdout one socket, which loses what it carries when closed with bytes unread."""
    body = b" " * 2000000
    server, program = socket.socketpair()
    server.settimeout(20)
    settings = {"SSE_PUBLISH_AUTH": "remote_user", "SSE_REDIS_URL": redis.url}
    with server, program, subprocess.Popen([publish_program], stdin=program, stdout=program,
                                           env=clean_environment(**settings, **make_params(body=body, length=length))) as process:
        program.close()
        server.sendall(body)
        server.shutdown(socket.SHUT_WR)
        with server.makefile("rb") as reader:
            assert reader.read().startswith(b"Status: 401 ")
        assert process.wait(20) == 0


def test_it_runs_without_stdin_stdout_and_stderr(publish_program, redis):
    ran = subprocess.run(["sh", "-c", 'exec "$0" <&- >&- 2>&-', publish_program], check=False, timeout=20,
                         env=clean_environment(SSE_PUBLISH_AUTH="none", SSE_REDIS_URL=redis.url, SSE_LOG_LEVEL="debug",
                                               **make_params(method="GET", PATH_INFO="/health")))
    assert ran.returncode == 0


# ---- the tokens file ----

@pytest.fixture
def tokens(tmp):
    path = os.path.join(tmp, "tokens")

    def write(text):
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)

    write.path = path
    write("shop first\n")
    return write


def test_a_changed_tokens_file_counts_from_the_next_request(publish_program, processes, tmp, redis, tokens):
    publish = FastCgi(publish_program, processes, tmp, redis_url=redis.url, publish_auth="token", publish_tokens_file=tokens.path)

    def status(token):
        return publish.ask({"topic": "a"}, HTTP_AUTHORIZATION=f"Bearer {token}").status

    assert (status("first"), status("second")) == (200, 401)
    tokens("shop second\n")
    assert (status("first"), status("second")) == (401, 200)
    with open(tokens.path, "a", encoding="utf-8") as file:  # in place
        file.write("cron third\n")
    assert (status("second"), status("third")) == (200, 200)


def test_a_broken_tokens_file_keeps_the_old_tokens_and_names_its_line(publish_program, processes, tmp, redis, tokens):
    publish = FastCgi(publish_program, processes, tmp, redis_url=redis.url, publish_auth="token", publish_tokens_file=tokens.path)

    def status(token):
        return publish.ask({"topic": "a"}, HTTP_AUTHORIZATION=f"Bearer {token}").status

    assert status("first") == 200
    tokens("# new\nshop geheim\nonly-a-name\n")
    assert [status("first"), status("geheim"), status("first")] == [200, 401, 200]
    assert publish.log().count(f"{tokens.path}:3: ") == 1
    assert "geheim" not in publish.log() and "only-a-name" not in publish.log()
    os.unlink(tokens.path)
    assert status("first") == 200
    assert "No such file" in publish.log()
    tokens("shop second\n")
    assert (status("first"), status("second")) == (401, 200)


# ---- the start ----

def start(program, *words, stdin=subprocess.DEVNULL, **settings):
    return subprocess.run([program, *words], env=clean_environment(**settings), stdin=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=20)


def test_started_by_hand_it_says_what_it_is_for(publish_program):
    for words in [], ["--set", "publish_auth=none"]:
        ran = start(publish_program, *words)
        assert ran.returncode == 2
        assert "is started by a web server" in ran.stderr
        assert "--help" in ran.stderr


@pytest.mark.parametrize("settings, says", [
    ({}, "publish_auth must be set"),
    ({"SSE_PUBLISH_AUTH": "token"}, "demands publish_tokens_file"),
    ({"SSE_PUBLISH_AUTH": "token", "SSE_PUBLISH_TOKENS_FILE": "/nowhere"}, "cannot read the tokens file /nowhere"),
    ({"SSE_PUBLISH_AUTH": "none", "SSE_MAX_BODY_SIZE": "1"}, 'max_body_size = "1" (SSE_MAX_BODY_SIZE): allowed is 1024..67108864'),
    ({"SSE_PUBLISH_AUTH": "none", "SSE_REDIS_URL": "redis://a,b"}, "not available yet"),
    ({"TIDINGS_CONFIG": "/nowhere"}, "cannot read the settings file /nowhere"),
])
def test_wrong_settings_stop_it_with_exit_code_2_and_one_line(publish_program, settings, says):
    for words in ([], {"REQUEST_METHOD": "GET"}), (["--check"], {}):
        ran = start(publish_program, *words[0], **settings, **words[1])
        assert ran.returncode == 2
        assert says in ran.stderr
        assert ran.stderr.count("\n") == 1
        assert ran.stdout == ""


def test_a_tokens_file_that_is_broken_at_the_start_is_a_wrong_setting(publish_program, tokens):
    tokens("shop\n")
    settings = {"SSE_PUBLISH_AUTH": "token", "SSE_PUBLISH_TOKENS_FILE": tokens.path}
    for words, more in (["--check"], {}), ([], {"REQUEST_METHOD": "GET"}):
        ran = start(publish_program, *words, **settings, **more)
        assert ran.returncode == 2
        assert f"{tokens.path}:1: " in ran.stderr
    tokens("shop secret\n")
    ran = start(publish_program, "--check", **settings)
    assert (ran.returncode, ran.stdout) == (0, "tidings-publish: the settings are good\n")


def test_the_example_settings_file_passes_the_check_with_what_must_be_set(publish_program):
    example = os.path.join(os.path.dirname(__file__), "..", "..", "conf", "tidings.conf")
    ran = start(publish_program, "--check", "--config", example, "--set", "publish_auth=none")
    assert ran.returncode == 0, ran.stderr
    ran = start(publish_program, "--print-config", TIDINGS_CONFIG=example, SSE_REDIS_URL="redis://:geheim@h")
    assert ran.returncode == 0
    assert "redis_url = redis://:***@h  # SSE_REDIS_URL\n" in ran.stdout


def test_tidings_config_names_the_settings_file(publish_program, tmp, redis):
    path = os.path.join(tmp, "conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"redis_url = {redis.url}\npublish_auth = none\n")
    ran = subprocess.run([publish_program], env=clean_environment(TIDINGS_CONFIG=path, **make_params(method="GET", PATH_INFO="/health")),
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False, timeout=20)
    assert b"Status: 200" in ran.stdout
