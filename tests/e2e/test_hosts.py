"""publish under every web server that can run it, each with its file of conf/, from PHP, Perl and the shell."""
import json
import os
import shutil
import subprocess

import pytest

from fronts import Apache, Lighttpd, Nginx, Place
from http_raw import fetch
from support import clean_environment, need, wait_until

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
BEARER = {"Authorization": "Bearer secret"}
PUBLISHERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "publishers")


def under_nginx(place, processes):
    """As README says: spawn-fcgi opens the socket, multiwatch keeps two processes running."""
    need("spawn-fcgi", "multiwatch")
    processes.start("spawn-fcgi", "-n", "-s", place.publish_socket, "-M", "0770", "--", shutil.which("multiwatch"), "-f", "2",
                    "--", place.publish_program, env=clean_environment(TIDINGS_CONFIG=place.settings))
    wait_until(lambda: os.path.exists(place.publish_socket))
    place.open_to_the_web_server(place.publish_socket)


def start_nginx(place, processes):
    under_nginx(place, processes)
    return Nginx(place, processes).start()


def start_proxy_fcgi(place, processes):
    under_nginx(place, processes)
    return Apache(place, processes).start("proxy-fcgi")


HOSTS = {
    "lighttpd mod_fastcgi": lambda place, processes: Lighttpd(place, processes).start(),
    "nginx fastcgi_pass": start_nginx,
    "Apache mod_fcgid": lambda place, processes: Apache(place, processes).start("fcgid"),
    "Apache mod_proxy_fcgi": start_proxy_fcgi,
    "Apache mod_cgid": lambda place, processes: Apache(place, processes).start("cgid"),
}


@pytest.fixture(params=list(HOSTS))
def host(request, tmp, processes, redis, publish_program):
    redis.call("CONFIG", "SET", "maxclients", "100")
    os.chmod(redis.folder, 0o755)
    os.chmod(redis.path, 0o777)
    place = Place(tmp, publish_program)
    place.write_settings(redis_url=redis.url, publish_auth="token", publish_tokens_file=place.write(
        "tokens", "shop secret\nfew narrow ok only:*\nboss bossy +control\n"))
    host = HOSTS[request.param](place, processes)
    host.name = request.param
    return host


def post(host, body, headers=None, target="/publish", **options):
    return fetch(host.address, target, "POST", {**BEARER, **FORM, **(headers or {})}, body, **options)


def tapped(redis, *channels):
    tap = redis.connect()
    for channel in channels:
        tap.call("SUBSCRIBE", channel)
    return tap


def test_a_form_is_published_and_answered_with_its_id(host, redis):
    with tapped(redis, "comments") as tap:
        answer = post(host, b"topic=comments&event=comment_created&data=%7B%22id%22%3A1%7D")
        assert answer.status == 200, answer.raw
        message = json.loads(tap.receive()[2])
        assert message["id"] == answer.json["id"]
        assert (message["event"], message["data"]) == ("comment_created", {"id": 1})


def test_a_json_batch_is_published_in_order(host, redis):
    body = json.dumps([{"topic": "a", "data": i} for i in range(20)]).encode()
    with tapped(redis, "a") as tap:
        answer = post(host, body, JSON)
        assert answer.status == 200, answer.raw
        assert [json.loads(tap.receive()[2])["id"] for _ in range(20)] == answer.json["ids"]


def test_a_chunked_body_without_a_length_is_read_to_its_end(host):
    answer = post(host, b"7\r\ntopic=a\r\n7\r\n&data=x\r\n0\r\n\r\n",
                  {"Transfer-Encoding": "chunked", "Content-Length": None})
    assert answer.status == 200, answer.raw


def test_the_authorization_header_reaches_publish(host):
    assert post(host, b"topic=a", {"Authorization": "Bearer wrong"}).status == 401
    assert post(host, b"topic=a", {"Authorization": None}).headers["www-authenticate"].startswith("Bearer")
    assert post(host, b"topic=other", {"Authorization": "Bearer narrow"}).status == 403
    assert post(host, b"topic=only:this", {"Authorization": "Bearer narrow"}).status == 200


def test_a_body_of_just_max_body_size_arrives_and_a_larger_one_is_a_clear_4xx(host):
    item = {"topic": "a", "data": "x" * 60000}
    body = json.dumps([item] * 17).encode()
    body += b" " * (1048576 - len(body))
    answer = post(host, body, JSON)
    assert answer.status == 200, answer.raw[:300]
    for size in (1048577, 1200000):
        larger = post(host, body + b" " * (size - len(body)), JSON)
        assert larger.status in (400, 413), larger.raw[:300]


def test_health_is_answered_where_publish_is_mounted(host, redis):
    answer = fetch(host.address, "/publish/health")
    assert (answer.status, answer.json) == (200, {"status": "healthy"}), answer.raw
    redis.kill()
    assert fetch(host.address, "/publish/health").status == 503


def test_control_is_taken_where_publish_is_mounted(host, redis):
    boss = {"Authorization": "Bearer bossy"}
    with tapped(redis, "sse:control") as tap:
        answer = post(host, b'{"disconnect":{"user":"42"}}', {**boss, **JSON}, "/publish/control")
        assert (answer.status, answer.json) == (200, {"heard_by": 1}), answer.raw
        assert json.loads(tap.receive()[2])["disconnect"] == {"user": "42"}
        answer = post(host, b"revoke%5Buser%5D=42&revoke%5Bseconds%5D=60", boss, "/publish/control")
        assert answer.status == 200, answer.raw
        assert json.loads(tap.receive()[2])["revoke"] == {"user": "42", "seconds": 60}
    assert post(host, b"disconnect%5Buser%5D=42", target="/publish/control").status == 403
    assert fetch(host.address, "/publish/control").status == 405


def test_settings_come_from_the_environment_and_never_from_the_request(host):
    headers = {"SSE-PUBLISH-AUTH": "none", "Authorization": None, "TIDINGS-CONFIG": "/dev/null", "Proxy": "http://evil.example"}
    assert post(host, b"topic=a", headers).status == 401


def test_with_redis_stopped_the_answer_is_503_with_retry_after(host, redis):
    redis.kill()
    answer = post(host, b"topic=a")
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) >= 1
    redis.start()
    os.chmod(redis.path, 0o777)
    assert post(host, b"topic=a").status == 200


@pytest.mark.parametrize("script", ["stream_context.php", "curl.php", "http_tiny.pl", "lwp.pl"])
def test_php_and_perl_publish(host, redis, processes, script):
    interpreter = "php" if script.endswith("php") else "perl"
    need(interpreter)
    data = 'Zeile 1\nZeile "2" \u00fc \U0001F600'
    with tapped(redis, "from:script") as tap:
        process = processes.start(interpreter, os.path.join(PUBLISHERS, script), f"http://127.0.0.1:{host.port}/publish/",
                                  "secret", "from:script", "said", data, env=clean_environment(),
                                  stdout=subprocess.PIPE)
        answer = process.stdout.read()
        message = json.loads(tap.receive()[2])
        assert json.loads(answer)["id"] == message["id"]
        # LWP writes line breaks as HTML forms do, CRLF; a listener gets LF from either.
        assert (message["event"], message["data"].replace("\r\n", "\n")) == ("said", data)
