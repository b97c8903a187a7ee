"""redis_password_file: Redis's password stands in a file, is never shown, and can be changed while both programs run."""
import os
import subprocess

import pytest

from private_redis import PrivateRedis
from publish_program import FastCgi
from streamer_program import Streamer
from support import clean_environment, free_port, wait_until

FIRST, SECOND = "geheim-4711", "geheim-4712 with blanks"


@pytest.fixture
def password_file(tmp):
    path = os.path.join(tmp, "password")
    write(path, FIRST + "\n")
    return path


def write(path, text):
    """Replaces the file at once, as whoever rotates a password should."""
    fresh = path + ".new"
    with open(fresh, "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(fresh, path)


class Guarded:
    """A Redis with a user `app`, and a default user who may do everything over the unix socket."""

    def __init__(self, folder):
        self.port = free_port()
        self.redis = PrivateRedis(folder, "--port", str(self.port))
        self.allow(FIRST)

    def allow(self, password):
        self.redis.call("ACL", "SETUSER", "app", "reset", "on", ">" + password, "~*", "&*", "+@all")

    def url(self, password=""):
        return f"redis://app:{password}@127.0.0.1:{self.port}/0"

    def cut_off(self):
        self.redis.call("CLIENT", "KILL", "USER", "app")


@pytest.fixture
def guarded(tmp):
    folder = os.path.join(tmp, "g")
    os.mkdir(folder)
    guarded = Guarded(folder)
    yield guarded
    guarded.redis.stop()


@pytest.fixture
def both(guarded, password_file, streamer_program, publish_program, processes, tmp):
    settings = {"redis_password_file": password_file, "log_level": "debug"}
    return (Streamer(streamer_program, processes, guarded.url(), tmp, **settings).start(),
            FastCgi(publish_program, processes, tmp, redis_url=guarded.url(), **settings))


def test_a_changed_password_counts_from_the_next_connection_on(guarded, both, password_file):
    running, publish = both
    with running.live("a") as stream:
        assert publish.event("a", data=1).status == 200
        assert stream.take("message").data == b"1"
        guarded.allow(SECOND)
        guarded.cut_off()
        wait_until(lambda: "WRONGPASS" in running.log(), what="the streamer is refused")
        answer = publish.event("a", data="never")
        assert answer.status == 503 and "refuses the password" in answer.detail
        write(password_file, SECOND + "\r\n")
        assert publish.event("a", data=2).status == 200
        assert stream.take("message").data == b"2"
    for program in both:
        assert "geheim" not in program.log()


def test_a_file_that_cannot_be_read_any_more_is_tried_again_until_it_can(guarded, both, password_file):
    running, publish = both
    with running.live("a") as stream:
        assert publish.event("a", data=1).status == 200
        assert stream.take("message").data == b"1"
        os.rename(password_file, password_file + ".away")
        guarded.cut_off()
        words = f"cannot take the password from redis_password_file {password_file}: No such file"
        wait_until(lambda: words in running.log(), what="the streamer says why")
        assert publish.event("a", data="never").status == 503
        assert words in publish.log()
        os.rename(password_file + ".away", password_file)
        assert publish.event("a", data=2).status == 200
        assert stream.take("message").data == b"2"


def test_over_a_unix_socket_it_is_the_default_users(redis, publish_program, processes, tmp, password_file):
    redis.call("CONFIG", "SET", "requirepass", FIRST)
    assert FastCgi(publish_program, processes, tmp, redis_url=redis.url).event("a").status == 503
    publish = FastCgi(publish_program, processes, tmp, redis_url=redis.url, redis_password_file=password_file)
    assert publish.event("a").status == 200
    with redis.connect() as admin:
        admin.call("AUTH", FIRST), admin.call("CONFIG", "SET", "requirepass", "")


def run(program, *words, **settings):
    return subprocess.run([program, *words, *(f"--set={name}={value}" for name, value in settings.items())],
                          env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                          timeout=20, check=False)


@pytest.fixture(params=["streamer", "publish"])
def program(request, streamer_program, publish_program):
    return {"streamer": streamer_program, "publish": publish_program}[request.param]


GOOD = {"auth": "public", "publish_auth": "none"}


@pytest.mark.parametrize("text, why", [
    (None, "No such file or directory"), ("", "it is empty"), ("\n", "it is empty"), ("\r\n", "it is empty"),
    ("x" * 4097 + "\n", "it is longer than 4096 bytes"), ("x" * 100000, "it is longer than 4096 bytes"),
    ("a\nb\n", "it holds more than one line"), ("a\0b", "it holds more than one line")])
def test_a_file_that_holds_no_password_is_a_wrong_setting(program, tmp, text, why):
    path = os.path.join(tmp, "password")
    if text is not None:
        write(path, text)
    ran = run(program, "--check", redis_password_file=path, **GOOD)
    assert (ran.returncode, ran.stdout.count("\n")) == (2, 1), ran.stdout
    assert "redis_password_file" in ran.stdout and path in ran.stdout and why in ran.stdout


def test_neither_a_folder_nor_a_pipe_will_do(program, tmp):
    os.mkfifo(os.path.join(tmp, "pipe"))
    for path in (tmp, os.path.join(tmp, "pipe"), "/dev/zero"):
        ran = run(program, "--check", redis_password_file=path, **GOOD)
        assert ran.returncode == 2 and "it is no file" in ran.stdout, ran.stdout


def test_the_streamer_does_not_start_without_it(streamer_program):
    ran = run(streamer_program, redis_password_file="/nowhere", **GOOD)
    assert ran.returncode == 2 and "/nowhere: No such file" in ran.stdout


@pytest.mark.parametrize("text", ["x", "x\n", "x\r\n", "x" * 4096 + "\r\n", "with blanks in it \n", "ä\n"])
def test_a_line_is_a_password(program, tmp, text):
    path = os.path.join(tmp, "password")
    write(path, text)
    assert run(program, "--check", redis_password_file=path, **GOOD).returncode == 0


def test_a_password_in_both_places_is_a_wrong_setting(program, password_file):
    for url in (f"redis://:{SECOND[:11]}@h", f"rediss+sentinel://ann:{SECOND[:11]}@h/m"):
        ran = run(program, "--check", redis_url=url, redis_password_file=password_file, **GOOD)
        assert (ran.returncode, ran.stdout.count("\n")) == (2, 1)
        assert "there is a password in redis_url" in ran.stdout and "geheim" not in ran.stdout


def test_print_config_shows_where_it_is_and_not_what_it_holds(program, password_file):
    shown = run(program, "--print-config", redis_url="redis://ann:@h", redis_password_file=password_file, **GOOD).stdout
    assert f"redis_password_file = {password_file}  # --set" in shown and "geheim" not in shown
