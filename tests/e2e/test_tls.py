"""R12: both programs speak TLS to Redis with whom they are to trust and with nobody else, and never without."""
import os
import socket
import ssl
import threading
import time

import pytest

from http_raw import Stream, fetch
from publish_program import Cgi, FastCgi
from streamer_program import Streamer
from support import free_port, wait_until
from tls_redis import Authority, TlsRedis, self_signed

SECRET = "geheim-4711"


@pytest.fixture
def authority(tmp):
    return Authority(tmp)


@pytest.fixture
def serve(tmp):
    """serve(certificate): a Redis that shows it."""
    running = []

    def start(certificate, *settings, **options):
        folder = os.path.join(tmp, f"t{len(running)}")
        os.mkdir(folder)
        running.append(TlsRedis(folder, certificate, *settings, **options))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def streamer(streamer_program, processes, tmp):
    """streamer(url, ...): one that is started, but perhaps not ready."""
    return lambda url, ready=True, **settings: Streamer(streamer_program, processes, url, tmp, **settings).start(ready=ready)


@pytest.fixture
def publisher(publish_program, processes, tmp):
    return lambda url, **settings: FastCgi(publish_program, processes, tmp, redis_url=url, **settings)


def connections(redis):
    """Those from the network that are open now: their ids."""
    lines = redis.call("CLIENT", "LIST").decode().splitlines()
    return {line.split("id=")[1].split(" ")[0] for line in lines if "addr=127.0.0.1" in line}


# ---- it works ----

@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1"])
def test_events_flow_and_listeners_resume_over_tls(authority, serve, streamer, publisher, host):
    redis = serve(authority.issue("redis"))
    running = streamer(redis.address(host), redis_tls_ca=authority.pem)
    publish = publisher(redis.address(host), redis_tls_ca=authority.pem)
    assert publish.ask(method="GET", content_type=None, length=None, SCRIPT_NAME="/publish/health").status == 200
    with running.live("a") as stream:
        first = publish.event("a", data=1).json["id"]
        assert stream.take("message").id == first
        second = publish.event("a", data=2).json["id"]
        assert stream.take("message").id == second
    with Stream(running.address, "/events?topic=a", headers={"Last-Event-ID": first}) as resumed:
        assert resumed.take("message").id == second
    assert running.stop() == 0 and publish.stop() == [0]
    assert "TLS" not in running.log() + publish.log()


def test_a_folder_of_authorities_and_one_of_an_intermediate_will_do(authority, serve, publisher, tmp):
    from tls_redis import openssl
    redis = serve(authority.issue("redis"))
    folder = os.path.join(tmp, "trusted")
    os.mkdir(folder)
    publish = publisher(redis.address(), redis_tls_ca=folder)
    assert publish.event("a").status == 503
    os.link(authority.pem, os.path.join(folder, "ca.pem"))
    openssl("rehash", folder)
    assert publisher(redis.address(), redis_tls_ca=folder).event("a").status == 200


def test_a_plain_cgi_program_publishes_over_tls(authority, serve, publish_program, processes, tmp):
    redis = serve(authority.issue("redis"))
    assert Cgi(publish_program, processes, tmp, redis_url=redis.address(), redis_tls_ca=authority.pem).event("a").status == 200


def test_without_verification_a_self_signed_certificate_of_another_name_will_do_and_is_warned_of(tmp, serve, streamer,
                                                                                                publisher):
    redis = serve(self_signed(tmp, alternatives="DNS:elsewhere.example"))
    running = streamer(redis.address(), redis_tls_verify="no")
    publish = publisher(redis.address(), redis_tls_verify="no")
    with running.live("a") as stream:
        assert publish.event("a", data=1).status == 200
        assert stream.take("message").data == b"1"
    for program in (running, publish):
        assert program.log().count("redis_tls_verify = no") == 1


def test_the_connection_of_publish_is_kept_from_request_to_request(authority, serve, publisher):
    redis = serve(authority.issue("redis"))
    publish = publisher(redis.address(), redis_tls_ca=authority.pem)
    seen = set()
    for data in range(5):
        assert publish.event("a", data=data).status == 200
        seen |= connections(redis)
    assert len(seen) == 1


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_both_versions_of_tls_will_do_and_no_older_one(authority, serve, publisher, version):
    redis = serve(authority.issue("redis"), "--tls-protocols", version)
    assert publisher(redis.address(), redis_tls_ca=authority.pem).event("a").status == 200


def test_an_older_tls_is_refused(authority, serve, publisher):
    redis = serve(authority.issue("redis"), "--tls-protocols", "TLSv1.1", "--tls-ciphers", "ALL:@SECLEVEL=0")
    publish = publisher(redis.address(), redis_tls_ca=authority.pem)
    assert publish.event("a").status == 503
    assert "TLS: " in publish.log()


# ---- it refuses ----

def not_good(kind, authority, tmp):
    """A certificate that must be refused, who is trusted, and the host that is asked for."""
    if kind == "wrong CA":
        return authority.issue("redis"), Authority(tmp, "other").pem, "localhost"
    if kind == "self-signed":
        return self_signed(tmp), authority.pem, "localhost"
    if kind == "unknown to the system":
        return authority.issue("redis"), "system", "localhost"
    if kind == "wrong name":
        return authority.issue("redis", "DNS:redis.example,IP:127.0.0.1"), authority.pem, "localhost"
    if kind == "name in the subject alone":
        return authority.issue("localhost", "DNS:redis.example"), authority.pem, "localhost"
    if kind == "wrong address":
        return authority.issue("redis", "DNS:localhost,IP:127.0.0.2"), authority.pem, "127.0.0.1"
    if kind == "address as a name":
        return authority.issue("redis", "DNS:127.0.0.1"), authority.pem, "127.0.0.1"
    if kind == "expired":
        return authority.issue("redis", start="20200101000000Z", end="20200102000000Z"), authority.pem, "localhost"
    return authority.issue("redis", start="20450101000000Z", end="20450102000000Z"), authority.pem, "localhost"


NOT_GOOD = {
    "wrong CA": "the certificate is signed by no authority of redis_tls_ca",
    "self-signed": "the certificate is signed by no authority of redis_tls_ca",
    "unknown to the system": "the certificate is signed by no authority of redis_tls_ca",
    "wrong name": "the certificate is not for the name localhost",
    "name in the subject alone": "the certificate is not for the name localhost",
    "wrong address": "the certificate is not for the address 127.0.0.1",
    "address as a name": "the certificate is not for the address 127.0.0.1",
    "expired": "the certificate is refused: certificate has expired",
    "not yet valid": "the certificate is refused: certificate is not yet valid",
}


def assert_refused(running, publish, words):
    """Both say why on their logs, and do not do it all the same."""
    answer = publish.event("a")
    assert (answer.status, answer.headers["retry-after"] != "") == (503, True)
    assert "may have been published" not in answer.detail
    wait_until(lambda: words in running.log(), what=f"{words!r} on the log of the streamer")
    assert words in publish.log()
    assert fetch(running.admin, "/health/ready").status == 503
    assert fetch(running.admin, "/health").status == 200
    assert SECRET not in running.log() + publish.log()


@pytest.mark.parametrize("kind", NOT_GOOD)
def test_a_certificate_that_is_not_good_is_refused(authority, serve, streamer, publisher, tmp, kind):
    certificate, trusted, host = not_good(kind, authority, tmp)
    redis = serve(certificate)
    before = int(redis.call("INFO", "commandstats").decode().count("cmdstat_auth"))
    url = redis.address(host, user=f":{SECRET}@")
    assert_refused(streamer(url, ready=False, redis_tls_ca=trusted), publisher(url, redis_tls_ca=trusted), NOT_GOOD[kind])
    assert redis.call("INFO", "commandstats").decode().count("cmdstat_auth") == before == 0


def test_the_plain_port_of_redis_is_refused(authority, serve, streamer, publisher):
    port = free_port()
    redis = serve(authority.issue("redis"), "--port", str(port))
    url = redis.address(user=f":{SECRET}@").replace(str(redis.port), str(port))
    assert_refused(streamer(url, ready=False, redis_tls_ca=authority.pem), publisher(url, redis_tls_ca=authority.pem),
                   "is this Redis's plain port?")


def test_a_port_with_tls_under_a_plain_url_is_told(authority, serve, streamer, publisher):
    url = serve(authority.issue("redis")).address(scheme="redis")
    assert_refused(streamer(url, ready=False), publisher(url), "a port with TLS wants rediss://")


def test_a_redis_that_demands_a_certificate_of_its_clients_is_told(authority, serve, streamer, publisher):
    url = serve(authority.issue("redis"), clients="yes").address()
    assert_refused(streamer(url, ready=False, redis_tls_ca=authority.pem), publisher(url, redis_tls_ca=authority.pem),
                   "tls-auth-clients must be optional or no")


# ---- nothing goes in clear ----

class Recorder:
    """Listens, keeps what each connection sends, and answers in its own way: silence, an error of Redis, the close."""

    def __init__(self, how):
        self.how, self.heard = how, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        place = len(self.heard)
        self.heard.append(b"")
        with connection:
            while True:
                try:
                    chunk = connection.recv(65536)
                except OSError:
                    return
                if not chunk:
                    return
                self.heard[place] += chunk
                if self.how == "close":
                    return
                if self.how == "error":
                    connection.sendall(b"-ERR unknown command\r\n")

    def close(self):
        self.listener.close()


@pytest.mark.parametrize("how", ["silence", "error", "close"])
def test_nothing_but_a_client_hello_reaches_who_does_not_speak_tls(authority, streamer, publisher, how):
    recorder = Recorder(how)
    url = f"rediss://ann:{SECRET}@localhost:{recorder.port}/0"
    running = streamer(url, ready=False, redis_tls_ca=authority.pem, redis_timeout_ms=200)
    publish = publisher(url, redis_tls_ca=authority.pem, redis_timeout_ms=200)
    words = {"silence": "no answer to the TLS handshake in time", "error": "is this Redis's plain port?",
             "close": "closed the connection in the handshake"}[how]
    assert_refused(running, publish, words)
    wait_until(lambda: len(recorder.heard) >= 6 and all(recorder.heard), what="it is tried again and again")
    recorder.close()
    for sent in list(recorder.heard):
        assert sent[:2] == b"\x16\x03" and sent[5] == 1, sent  # a handshake record that holds a ClientHello
        assert len(sent) == 5 + int.from_bytes(sent[3:5], "big") or sent[5 + int.from_bytes(sent[3:5], "big")] == 0x15
        for word in (SECRET, "AUTH", "PING", "ann"):
            assert word.encode() not in sent


class TlsRecorder:
    """Shakes hands with a certificate that nobody trusts, and keeps what is sent to it after that."""

    def __init__(self, certificate):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate.pem, certificate.key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.tried, self.heard = 0, b""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(connection, server_side=True) as secure:
                    self.heard += secure.recv(65536)
            except OSError:
                pass
            self.tried += 1

    def close(self):
        self.listener.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_password_is_given_to_who_shows_a_certificate_that_is_not_good(authority, streamer, publisher, tmp, version):
    recorder = TlsRecorder(self_signed(tmp))
    recorder.context.maximum_version = version
    url = f"rediss://ann:{SECRET}@localhost:{recorder.port}/0"
    running = streamer(url, ready=False, redis_tls_ca=authority.pem)
    assert_refused(running, publisher(url, redis_tls_ca=authority.pem), "signed by no authority of redis_tls_ca")
    wait_until(lambda: recorder.tried >= 4, what="it is tried again and again")
    recorder.close()
    assert recorder.heard == b""


# ---- trouble ----

def test_streams_survive_a_restart_of_redis_over_tls(authority, serve, streamer, publisher):
    redis = serve(authority.issue("redis"))
    running = streamer(redis.address(), redis_tls_ca=authority.pem)
    publish = publisher(redis.address(), redis_tls_ca=authority.pem)
    with running.live("a") as stream:
        assert publish.event("a", data=1).status == 200
        assert stream.take("message").data == b"1"
        redis.stop()
        assert publish.event("a", data="lost").status == 503
        redis.start()
        assert publish.event("a", data=2).status == 200
        assert stream.take("message").data == b"2"
        redis.kill()
        redis.start()
        assert publish.event("a", data=3).status == 200
        assert stream.take("message").data == b"3"
    wait_until(lambda: running.metrics()["redis"]["reconnects"] == 2, what="it came back twice")


def test_a_replay_of_several_megabytes_goes_over_tls(authority, serve, streamer, publisher):
    redis = serve(authority.issue("redis"))
    running = streamer(redis.address(), redis_tls_ca=authority.pem, redis_timeout_ms=5000, max_queue_size=1000,
                       max_queue_bytes=64 * 1024 * 1024)
    publish = publisher(redis.address(), redis_tls_ca=authority.pem, redis_timeout_ms=5000)
    cursor = publish.event("a", data=0).json["id"]
    wide = "x" * 60000
    sent = []
    for batch in range(6):
        answer = publish.ask([{"topic": "a", "data": f"{batch}.{n}:{wide}"} for n in range(15)])
        assert answer.status == 200
        sent += answer.json["ids"]
    with Stream(running.address, "/events?topic=a", headers={"Last-Event-ID": cursor}, timeout=30) as resumed:
        blocks = [resumed.take("message") for _ in sent]
    assert [block.id for block in blocks] == sent
    assert all(len(block.data) > 60000 for block in blocks)


def test_a_flood_of_messages_over_tls_arrives_whole_and_in_order(authority, serve, streamer):
    redis = serve(authority.issue("redis"))
    running = streamer(redis.address(), redis_tls_ca=authority.pem, max_queue_size=1000, max_queue_bytes=64 * 1024 * 1024)
    with running.live("a") as stream, redis.connect() as bus:
        for n in range(300):
            bus.send("PUBLISH", "a", '{"event":"x","data":"%d:%s"}' % (n, "y" * (n * 37 % 20000)))
        for n in range(300):
            assert bus.receive() == 1
            assert stream.take("x").data == b"%d:%s" % (n, b"y" * (n * 37 % 20000))


def test_a_frozen_redis_is_found_out_over_tls(authority, serve, streamer, publisher):
    redis = serve(authority.issue("redis"))
    running = streamer(redis.address(), redis_tls_ca=authority.pem, redis_timeout_ms=300)
    publish = publisher(redis.address(), redis_tls_ca=authority.pem, redis_timeout_ms=300)
    with running.live("a") as stream:
        assert publish.event("a", data=1).status == 200
        assert stream.take("message").data == b"1"
        redis.pause()
        answer = publish.event("a", data=2)
        assert answer.status == 503 and answer.seconds < 2
        wait_until(lambda: fetch(running.admin, "/health/ready").status == 503, what="the streamer notices")
        started = time.monotonic()
        assert fetch(running.admin, "/health").status == 200 and time.monotonic() - started < 1
        redis.resume()
        wait_until(lambda: publish.event("a", data=3).status == 200, what="publish comes back")
        seen = []
        while b"3" not in seen:
            seen.append(stream.take("message").data)
