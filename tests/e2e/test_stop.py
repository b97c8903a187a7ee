"""How the streamer starts and ends."""
import os
import signal
import time

import pytest

from auth_backend import AuthBackend
from http_raw import connect, fetch, request_bytes, read_all
from streamer_program import Streamer, publish
from support import clean_environment, wait_until


@pytest.fixture
def streamer(streamer_program, processes, redis, tmp):
    return Streamer(streamer_program, processes, redis.url, tmp, drain_seconds=60, retry_ms=1000).start()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_says_bye_with_spread_retries_to_all_and_ends_with_0_at_once(streamer, how):
    streams = [streamer.live("a") for _ in range(50)]
    begun = time.monotonic()
    assert streamer.stop(how) == 0
    assert time.monotonic() - begun < 1
    retries = []
    for stream in streams:
        bye = stream.take("sse.bye")
        retries.append(int(bye.retry))
        stream.wait_closed()
        assert stream.raw.endswith(b"\n\n")
    assert min(retries) >= 800 and max(retries) <= 61200
    assert max(retries) - min(retries) > 20000 and len(set(retries)) > 40


def test_clients_that_do_not_read_do_not_hold_a_stop_up(streamer, redis):
    sockets = []
    for _ in range(5):
        s = connect(streamer.address)
        s.sendall(request_bytes("/events?topic=a", headers={"Accept": "text/event-stream"}))
        sockets.append(s)
    idle = connect(streamer.address)
    wait_until(lambda: streamer.metrics()["connections"]["current"] == 5)
    with redis.connect() as bus:
        for _ in range(20):
            publish(bus, "a", data='"' + "x" * 60000 + '"')
    begun = time.monotonic()
    assert streamer.stop() == 0
    assert time.monotonic() - begun < 1
    idle.close()


def test_a_request_that_waits_for_its_verdict_is_answered_busy(streamer_program, processes, redis, tmp):
    backend = AuthBackend(("127.0.0.1", 0))
    backend.answer = lambda call: None
    streamer = Streamer(streamer_program, processes, redis.url, tmp, auth="url", auth_url=backend.url,
                        auth_timeout_ms=60000).start()
    s = connect(streamer.address)
    s.sendall(request_bytes("/events?topic=a", headers={"Accept": "text/event-stream"}))
    wait_until(lambda: backend.calls)
    assert streamer.stop() == 0
    raw = read_all(s)
    assert b"200 OK" in raw and b"event: sse.busy" in raw and b"retry: " in raw
    backend.close()


def test_a_second_signal_ends_at_once(streamer):
    with streamer.live("a"):
        streamer.process.send_signal(signal.SIGTERM)
        streamer.process.send_signal(signal.SIGTERM)
        assert streamer.process.wait(5) == 0


def test_sighup_is_logged_and_drops_nobody(streamer, redis):
    with streamer.live("a") as stream:
        streamer.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "SIGHUP" in streamer.log())
        with redis.connect() as bus:
            publish(bus, "a")
        stream.take("x")


def test_the_address_is_free_for_a_successor_at_once(streamer):
    with streamer.live("a"):
        streamer.stop()
    streamer.start()
    with streamer.live("a"):
        pass


def test_the_files_of_unix_sockets_go_with_the_streamer(streamer_program, processes, redis, tmp):
    path = f"{tmp}/s.sock"
    streamer = Streamer(streamer_program, processes, redis.url, tmp, address=path).start()
    assert os.stat(path).st_mode & 0o777 == 0o660
    streamer.stop()
    assert not os.path.exists(path)


def test_an_address_in_use_is_said_and_ends_with_1(streamer, streamer_program, processes, redis, tmp):
    log = f"{tmp}/second.log"
    with open(log, "wb") as file:
        second = processes.start(streamer_program, "--set=auth=public", f"--set=redis_url={redis.url}",
                                 "--set=listen=%s:%d" % streamer.address, env=clean_environment(), stderr=file)
        assert second.wait(10) == 1
    with open(log) as file:
        assert "cannot listen at %s:%d: Address already in use" % streamer.address in file.read()


def test_closed_standard_files_are_filled_before_a_client_gets_their_numbers(streamer_program, processes, redis, tmp):
    streamer = Streamer(streamer_program, processes, redis.url, tmp, log_level="debug")
    words = " ".join(f"--set={name}='{value}'" for name, value in streamer.settings.items())
    streamer.process = processes.start("sh", "-c", f"exec '{streamer_program}' {words} <&- >&- 2>&-", env=clean_environment())
    wait_until(lambda: listening(streamer))
    streamer.wait_ready()
    streams = [streamer.live("a") for _ in range(3)]
    with redis.connect() as bus:
        publish(bus, "a", name="end")
    for stream in streams:
        assert stream.events_until("end") == []


def listening(streamer):
    try:
        return fetch(streamer.admin, "/health").status == 200
    except OSError:
        return False


def test_a_storm_of_stray_signals_changes_nothing(streamer, redis):
    with streamer.live("a") as stream, redis.connect() as bus:
        for i in range(300):
            os.kill(streamer.process.pid, (signal.SIGPIPE, signal.SIGCHLD, signal.SIGHUP)[i % 3])
            if i % 10 == 0:
                event = publish(bus, "a")
                assert stream.take("x").id == event


@pytest.mark.parametrize("words,text", [
    (["--set=auth=public", "--set=nonsense=1"], "nonsense"),
    (["--set=auth=public", "--set=heartbeat_seconds=61"], "5..60"),
    ([], "auth"),
    (["--set=auth=url"], "auth_url"),
    (["--set=auth=public", "--set=workers=65"], "1..64, auto"),
    (["--set=auth=public", "--set=listen=127.0.0.1:9,127.0.0.1:9"], "127.0.0.1:9 twice"),
    (["--set=auth=public", "--set=listen=*:8082"], "both name 127.0.0.1:8082"),
    (["--set=auth=public", "--set=listen=unix:/tmp/x,unix:/tmp/x", "--check"], "unix:/tmp/x twice"),
    (["--wrong"], "--wrong"),
])
def test_wrong_settings_end_with_2_and_one_line_that_names_them(streamer_program, processes, tmp, words, text):
    log = f"{tmp}/log"
    with open(log, "wb") as file:
        process = processes.start(streamer_program, *words, env=clean_environment(), stderr=file, stdout=file)
        assert process.wait(10) == 2
    with open(log) as file:
        said = file.read()
    assert text in said


def test_check_and_print_config_show_what_is_in_effect_and_mask_secrets(streamer_program, processes, tmp):
    out = f"{tmp}/out"
    with open(out, "wb") as file:
        process = processes.start(streamer_program, "--set=auth=public", "--print-config", stdout=file, stderr=file,
                                  env=clean_environment(SSE_REDIS_URL="redis://:geheim@127.0.0.1:6379/0", SSE_PATH="/stream"))
        assert process.wait(10) == 0
    with open(out) as file:
        text = file.read()
    assert "geheim" not in text and "***" in text
    assert "/stream" in text and "SSE_PATH" in text
    process = processes.start(streamer_program, "--set=auth=public", "--check", env=clean_environment())
    assert process.wait(10) == 0
