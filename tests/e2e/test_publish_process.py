"""publish as a process: how it starts, what it reads on the way, how it gets along with web servers, and how it ends."""
import os
import signal
import socket
import subprocess
import threading

import pytest

from faultproxy import FaultProxy
from publish_program import FastCgi, make_params
from support import clean_environment, wait_until


@pytest.fixture
def publish(publish_program, processes, tmp, redis):
    return FastCgi(publish_program, processes, tmp, redis_url=redis.url)


def log(redis, topic="comments"):
    return [entry[0].decode() for entry in redis.call("XRANGE", f"sse:log:{topic}", "-", "+")]


# ---- processes ----

@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_an_idle_process_leaves_at_once_when_asked(publish, processes, how):
    assert publish.event().status == 200
    assert processes.stop(publish.process, how, timeout=2) == 0


def test_a_busy_process_finishes_its_request_first(publish_program, processes, tmp, redis):
    with FaultProxy(redis.path) as proxy:
        publish = FastCgi(publish_program, processes, tmp, redis_url=proxy.redis_url, redis_timeout_ms=10000)
        publish.event()
        redis.pause()
        before = proxy.passed["up"]
        request = publish.begin('{"topic":"comments"}').send_body(b'{"topic":"comments"}').end_body()
        wait_until(lambda: proxy.passed["up"] > before)
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
    environment = clean_environment(SSE_PUBLISH_AUTH="remote_user", SSE_REDIS_URL=redis.url,
                                    **make_params(body=body, length=length))
    with server, program, subprocess.Popen([publish_program], stdin=program, stdout=program, env=environment) as process:
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
    publish = FastCgi(publish_program, processes, tmp, redis_url=redis.url, publish_auth="token",
                      publish_tokens_file=tokens.path)

    def status(token):
        return publish.ask({"topic": "a"}, HTTP_AUTHORIZATION=f"Bearer {token}").status

    assert (status("first"), status("second")) == (200, 401)
    tokens("shop second\n")
    assert (status("first"), status("second")) == (401, 200)
    with open(tokens.path, "a", encoding="utf-8") as file:  # in place
        file.write("cron third\n")
    assert (status("second"), status("third")) == (200, 200)


def test_a_broken_tokens_file_keeps_the_old_tokens_and_names_its_line(publish_program, processes, tmp, redis, tokens):
    publish = FastCgi(publish_program, processes, tmp, redis_url=redis.url, publish_auth="token",
                      publish_tokens_file=tokens.path)

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
    ({"SSE_PUBLISH_AUTH": "none", "SSE_MAX_BODY_SIZE": "1"},
     'max_body_size = "1" (SSE_MAX_BODY_SIZE): allowed is 1024..67108864'),
    ({"SSE_PUBLISH_AUTH": "none", "SSE_STATS_FILE": "/x"}, "not available yet"),
    ({"SSE_PUBLISH_AUTH": "none", "SSE_REDIS_URL": "rediss://a", "SSE_REDIS_TLS_CA": "/nowhere"},
     "redis_tls_ca (SSE_REDIS_TLS_CA): /nowhere: No such file or directory"),
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
    ran = subprocess.run([publish_program], env=clean_environment(TIDINGS_CONFIG=path,
                                                                  **make_params(method="GET", PATH_INFO="/health")),
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False, timeout=20)
    assert b"Status: 200" in ran.stdout
