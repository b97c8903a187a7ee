"""What README.md prints is true: its settings are those of the programs, its examples run as they stand there, with
nothing but host, token and folders replaced."""
import json
import os
import re
import subprocess

import pytest

from browser import chromium
from fronts import Lighttpd, Place
from http_raw import Stream, connect, fetch, request_bytes
from streamer_program import Streamer
from support import TOP, built, clean_environment, need, wait_until

TOKEN = "THE-TOKEN"


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


README = read("README.md")


def example(name):
    """The block of README that is marked ```language name=NAME."""
    return re.search(rf"^```\w+ name={re.escape(name)}\n(.*?)^```$", README, re.S | re.M)[1]


# ---- settings ----

def ask_program(*words):
    return subprocess.run([built("publisher/publish"), *words], env=clean_environment(), stdout=subprocess.PIPE, check=True,
                          encoding="utf-8").stdout


@pytest.fixture(scope="module")
def settings():
    """name → default and what is allowed, as the programs say it; None where there is no default."""
    found = {}
    for line in ask_program("--print-config").splitlines():
        name, value, origin = re.fullmatch(r"(\w+) = ?(.*?) *# (default|not set)", line).groups()
        found[name] = [None if origin == "not set" else value]
    for line in ask_program("--help").splitlines():
        name = line.split()[0] if line.startswith("  ") else None
        if name in found:
            start = next(at for at in range(len(line) - 1, 0, -1) if line.count("(", at) == line.count(")", at))
            found[name].append(line[start + 1:-1])
    return found


def readme_rows():
    """name → default, allowed, meaning."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| `(.*?)` \| (.*?) \|$", README, re.M)
    return {name: rest for name, *rest in rows}


def test_the_table_of_readme_names_every_setting_with_default_and_range(settings):
    def shown(default):
        return None if default.startswith("**must be set**") else "" if default == "(empty)" else default.strip("`")

    assert {name: [shown(default), allowed] for name, (default, allowed, _) in readme_rows().items()} == settings


def test_the_example_file_has_every_setting_with_its_default(settings):
    lines = re.findall(r"^# (.*)\n#(\w+) =(?: (.*))?$", read("conf", "tidings.conf"), re.M)
    assert {name: [value or None, allowed] for allowed, name, value in lines} == \
        {name: [default or None, allowed] for name, (default, allowed) in settings.items()}


def test_the_manual_has_every_setting_with_its_default(settings):
    page = read("docs", "tidings.conf.5")
    items = re.findall(r"^\.It Ic (\w+)\n(?:.*\n)*?Allowed: (.*)\n\.br\n(?:Default: (.*)|Must be set for)$", page, re.M)
    assert {name: [None if not default else "" if default == "empty" else default, allowed]
            for name, allowed, default in items} == settings


ANOTHER = {"user": "tidings", "stats_file": "/x"}


def test_just_the_settings_said_to_have_only_their_default_yet_refuse_other_values():
    for name, (_, _, meaning) in readme_rows().items():
        said = bool(re.search(r"only the default yet|yet$|not available yet$", meaning)) and name != "history_size"
        assert said == (name in ANOTHER), name
    for name, value in ANOTHER.items():
        ran = subprocess.run([built("publisher/publish"), "--check", "--set=publish_auth=none", f"--set={name}={value}"],
                             env=clean_environment(), stderr=subprocess.PIPE, encoding="utf-8", check=False)
        assert ran.returncode == 2 and "not available yet" in ran.stderr, (name, ran.stderr)


# ---- what it points to ----

def test_every_link_leads_somewhere():
    for page in ("README.md", "CONTRIBUTING.md", "docs/PROTOCOL.md", "docs/INTERNALS.md"):
        for link in re.findall(r"\]\(([^)\s]+)\)", read(page)):
            path, _, anchor = link.partition("#")
            target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
            assert "://" in link or os.path.exists(os.path.join(TOP, target)), f"{page}: {link}"
            if anchor and "://" not in link:
                headings = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
                            for heading in re.findall(r"^#+ (.*)$", read(target), re.M)]
                assert anchor in headings, f"{page}: {link}"


def test_the_packages_to_build_with_are_those_of_packages_txt():
    words = re.search(r"apt-get install --no-install-recommends ((?:.*\\\n)*.*)", README)[1].replace("\\\n", " ").split()
    building = re.search(r"^# building tidings\n(.*?)^#", read("packages.txt"), re.S | re.M)[1].split()
    assert set(words) - {"redis-server"} == set(building) - {"check", "xz-utils", "ca-certificates"}


# ---- a site as README builds it ----

class Site(Lighttpd):
    """lighttpd with conf/lighttpd.conf, and PHP and Perl beside it."""

    def start(self):
        folder = self.place.folder
        self.place.conf("lighttpd.conf")
        return self.launch("lighttpd", "-D", "-f", self.place.write("lighttpd-main.conf", f"""
server.bind = "127.0.0.1"
server.port = {self.port}
server.document-root = "{folder}/www"
server.errorlog = "{self.log}"
server.max-fds = 4096
static-file.exclude-extensions = ( ".php", ".pl" )
mimetype.assign = ( ".html" => "text/html; charset=utf-8" )
include "{folder}/lighttpd.conf"
fastcgi.server += ( ".php" => ((
    "bin-path" => "/usr/bin/php-cgi", "socket" => "{folder}/php.sock", "max-procs" => 1,
    "bin-environment" => ( "PHP_FCGI_CHILDREN" => "4", "PHP_INI_SCAN_DIR" => ":{folder}/php.d" ) )) )
$HTTP["url"] =~ "\\.pl($|\\?)" {{ cgi.assign = ( ".pl" => "/usr/bin/perl" ) }}
"""))


PAGES = {
    "login.php": "<?php session_start(); $_SESSION['user'] = $_GET['user'];",
    "hold.php": """<?php session_start(); touch('../held');
        for ($i = 0; $i < 300 && !file_exists('../release'); $i++) { usleep(100000); clearstatcache(); }""",
    "read_and_close.php": "<?php session_start(['read_and_close' => true]); echo $_SESSION['user'];",
}


@pytest.fixture
def place(tmp, publish_program, redis):
    place = Place(tmp, publish_program)
    tokens = place.write("tokens", f"shop {TOKEN}\n")
    place.write_settings(redis_url=redis.url, publish_auth="token", publish_tokens_file=tokens)
    for folder in ("sessions", "php.d"):
        os.mkdir(os.path.join(tmp, folder))
    place.write("php.d/site.ini", f'session.save_path = "{tmp}/sessions"\n')
    for name, text in PAGES.items():
        place.write("www/" + name, text)
    place.write("www/auth.php", example("auth.php"))
    sessions = "/var/lib/shop/sessions", f"{tmp}/sessions"
    place.write("www/auth.pl", example("auth.pl").replace(*sessions))
    place.write("www/auth-batch.php", with_end("auth.php", "$topic =", "auth-batch.php"))
    place.write("www/auth-batch.pl", with_end("auth.pl", "my $topic =", "auth-batch.pl").replace(*sessions))
    for name, end in (("ticket.php", "header(\"Location: "), ("ticket.pl", "print \"Status: 307")):
        place.write("www/" + name, example(name).replace(*sessions))
        cookie = name.replace("ticket", "ticket-cookie")
        place.write("www/" + cookie, with_end(name, end, cookie).replace(*sessions))
    return place


def with_end(name, begins, end):
    """An example with all from that line on replaced by another one, as the text before it says."""
    text = example(name)
    assert text.count("\n" + begins) == 1
    return text[:text.index("\n" + begins) + 1] + example(end)


@pytest.fixture
def site(place, processes):
    need("php-cgi", "perl")
    return Site(place, processes).start()


@pytest.fixture
def streamer(place, site, processes, redis, streamer_program):
    """streamer(auth): with auth public, or the page that is asked."""
    def start(auth=None, **settings):
        if auth:
            settings.update(auth="url", auth_url=f"http://127.0.0.1:{site.port}/{auth}")
        return Streamer(streamer_program, processes, redis.url, place.folder, address=place.streamer_socket,
                        **settings).start()
    return start


# ---- publishing ----

def run(processes, command, text, site):
    text = text.replace("http://localhost/", f"http://127.0.0.1:{site.port}/")
    process = processes.start(*command, text, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return process.communicate(timeout=20)[0].decode()


@pytest.mark.parametrize("name, command", [
    ("publish-curl", ["sh", "-c"]), ("publish-stream-context", ["php", "-r"]), ("publish-curl-php", ["php", "-r"]),
    ("publish-http-tiny", ["perl", "-e"]), ("publish-lwp", ["perl", "-e"])])
def test_each_publishing_example_publishes(name, command, site, redis, processes):
    need(command[0])
    with redis.connect() as tap:
        tap.call("SUBSCRIBE", "comments")
        said = run(processes, command, example(name).replace("<?php", ""), site)
        message = json.loads(tap.receive()[2])
    assert (message["event"], message["data"]) == ("comment_created", {"id": 17})
    assert "not published" not in said and "error" not in said.lower(), said


@pytest.mark.parametrize("name, command", [("publish-stream-context", ["php", "-r"]), ("publish-curl-php", ["php", "-r"]),
                                           ("publish-http-tiny", ["perl", "-e"]), ("publish-lwp", ["perl", "-e"])])
def test_each_publishing_example_says_why_it_failed_and_goes_on(name, command, site, processes):
    text = example(name).replace("<?php", "").replace(TOKEN, "another")
    said = run(processes, command, text + "\nprint 'the page goes on';\n", site)
    assert "this token is not known" in said and said.rstrip().endswith("the page goes on"), said


def test_the_frames_that_readme_shows_are_those_that_come(site, streamer, place, processes):
    shown = re.search(r"The first one shows\n\n```\n(.*?)^```$", README, re.S | re.M)[1]
    streamer()
    place.open_to_the_web_server(place.streamer_socket)
    listening = re.search(r"^curl -N .*$", README, re.M)[0].replace("http://localhost/", f"http://127.0.0.1:{site.port}/")
    curl = processes.start("sh", "-c", "exec " + listening, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    seen = b""
    while b"id: " not in seen:
        seen += os.read(curl.stdout.fileno(), 4096)
    run(processes, ["sh", "-c"], example("publish-curl"), site)
    while b"17}\nid: " not in seen:
        seen += os.read(curl.stdout.fileno(), 4096)
    assert re.sub(r"\d{4,}", "N", seen.decode().strip()) == re.sub(r"\d{4,}", "N", shown.strip())


def test_the_tokens_of_readme_are_good_for_their_topics(site, place):
    place.write("tokens", re.search(r"^```\n(# name +token.*?)^```$", README, re.S | re.M)[1])

    def publish(topic):
        return fetch(site.address, "/publish", "POST", {"Authorization": f"Bearer {TOKEN}",
                                                        "Content-Type": "application/x-www-form-urlencoded"},
                     f"topic={topic}".encode()).status
    assert (publish("jobs:backup"), publish("jobs:backup2"), publish("order:1")) == (200, 403, 403)


def test_the_example_of_control_keeps_a_user_out(site, place, redis, processes):
    place.write("tokens", f"admin {TOKEN} +control\n")
    said = run(processes, ["sh", "-c"], example("control"), site)
    assert said.endswith('{"heard_by":0}'), said
    assert redis.call("ZRANGE", "sse:revoked", "0", "-1") == [b'+{"user":"42"}']


# ---- who may listen ----

def sign_in(site, place, auth):
    """The cookie of ann."""
    if auth.endswith(".pl"):
        place.write("sessions/0123456789abcdef", "ann\n")
        return "session=0123456789abcdef"
    return fetch(site.address, "/login.php?user=ann").headers["set-cookie"].split(";")[0]


@pytest.mark.parametrize("name, command, auth, is_over", [("end-streams-php", ["php", "-r"], "auth.php", True),
                                                          ("revoke-perl", ["perl", "-e"], "auth.pl", False)])
def test_what_was_allowed_is_taken_back_by_the_examples(name, command, auth, is_over, site, place, streamer, processes):
    place.write("tokens", f"admin {TOKEN} +control\n")
    running = streamer(auth)
    with running.live("user:ann,comments", headers={"Cookie": sign_in(site, place, auth)}) as stream:
        said = run(processes, command, example(name).replace("<?php", ""), site)
        assert "not" not in said, said
        assert stream.take("sse.revoked").json == {"topics": ["user:ann", "comments"] if is_over else ["comments"]}
        if is_over:
            stream.wait_closed()


@pytest.mark.parametrize("auth", ["auth.php", "auth.pl"])
def test_a_visitor_hears_what_the_rules_of_the_example_allow(auth, site, place, streamer):
    running = streamer(auth)
    cookie = {"Cookie": "theme=dark; " + sign_in(site, place, auth)}
    with running.live("comments,user:ann", headers=cookie):
        denied = running.get("/events?topic=comments,user:bob", headers=cookie)
    assert (denied.status, denied.json) == (403, {"detail": "ann may not listen to user:bob"})


@pytest.mark.parametrize("auth", ["auth-batch.php", "auth-batch.pl"])
def test_with_another_end_the_examples_are_asked_about_all_topics_at_once(auth, site, place, streamer):
    running = streamer(auth, auth_mode="batch")
    cookie = {"Cookie": sign_in(site, place, auth)}
    with running.live("comments,user:ann", headers=cookie):
        denied = running.get("/events?topic=comments,user:bob,user:ann", headers=cookie)
    assert (denied.status, denied.json) == (403, {"detail": "Not authorized to access topic: user:bob"})
    assert running.get("/events?topic=comments").status == 401
    counted = running.prometheus()
    assert sum(counted[f'sse_auth_calls{{outcome="{outcome}"}}'] for outcome in ("allow", "deny", "busy")) == 3


@pytest.mark.parametrize("auth, settings", [("auth.php", {}), ("auth.pl", {}), ("auth-batch.php", {"auth_mode": "batch"}),
                                            ("auth-batch.pl", {"auth_mode": "batch"})])
def test_the_yes_of_an_example_counts_for_a_while_and_its_no_does_not(auth, settings, site, place, streamer):
    running = streamer(auth, **settings)
    cookie = {"Cookie": sign_in(site, place, auth)}
    for _ in range(3):
        with running.live("comments", headers=cookie):
            pass
        assert running.get("/events?topic=comments").status == 401
    assert running.prometheus()['sse_auth_calls{outcome="allow"}'] == 1
    assert running.prometheus()['sse_auth_calls{outcome="deny"}'] == 3


@pytest.mark.parametrize("page, like", [("ticket.php", "auth.php"), ("ticket.pl", "auth.pl")])
def test_a_visitor_gets_a_ticket_for_the_stream_and_a_stranger_gets_none(page, like, site, place, processes, redis,
                                                                         streamer_program):
    keys = place.write("ticket-keys", re.search(r"^```\n(# kid .*\n.*\n)```$", README, re.M)[1])
    Streamer(streamer_program, processes, redis.url, place.folder, address=place.streamer_socket, auth="ticket",
             ticket_keys_file=keys, ticket_renew_url="/" + page).start()
    place.open_to_the_web_server(place.streamer_socket)
    assert fetch(site.address, f"/{page}?topic=comments").status == 401
    cookie = {"Cookie": sign_in(site, place, like)}
    sent_on = fetch(site.address, f"/{page}?topic=comments", headers=cookie)
    assert (sent_on.status, sent_on.headers["cache-control"]) == (307, "no-store")
    with Stream(site.address, sent_on.headers["location"]) as stream:
        stream.opened()
    sent_on = fetch(site.address, f"/{page}?topic=comments,secret", headers=cookie)
    assert fetch(site.address, sent_on.headers["location"]).json == {"detail": "Not authorized to access topic: secret"}


@pytest.mark.parametrize("page", ["ticket-cookie.php", "ticket-cookie.pl"])
def test_a_ticket_in_a_cookie_stays_out_of_addresses(page, site, place, processes, redis, streamer_program):
    keys = place.write("ticket-keys", re.search(r"^```\n(# kid .*\n.*\n)```$", README, re.M)[1])
    Streamer(streamer_program, processes, redis.url, place.folder, address=place.streamer_socket, auth="ticket",
             ticket_keys_file=keys, ticket_renew_url="/" + page, ticket_cookie="tidings").start()
    place.open_to_the_web_server(place.streamer_socket)
    sent_on = fetch(site.address, f"/{page}?topic=comments", headers={"Cookie": sign_in(site, place, page)})
    assert (sent_on.status, sent_on.headers["location"]) == (307, "/events?topic=comments")
    ticket, *attributes = re.split(r"; *", sent_on.headers["set-cookie"])
    assert {"path=/events", "secure", "httponly", "samesite=lax"} == {word.lower() for word in attributes}
    with Stream(site.address, sent_on.headers["location"], headers={"Cookie": ticket}) as stream:
        stream.opened()
    assert fetch(site.address, sent_on.headers["location"]).status == 401


@pytest.mark.parametrize("auth, cookies", [
    ("auth.php", [None, "PHPSESSID=nobody0123456789abcdefghij", "PHPSESSID=../login.php", "PHPSESSID[]=x", "PHPSESSID="]),
    ("auth.pl", [None, "session=nobody0123456789", "session=../held", "session="])])
def test_a_stranger_is_refused_and_no_session_is_made(auth, cookies, site, place, streamer):
    running = streamer(auth)
    for cookie in cookies:
        headers = {"Cookie": cookie} if cookie else {}
        denied = running.get("/events?topic=comments", headers=headers)
        assert (denied.status, denied.json) == (401, {"detail": "Sign in first"}), cookie
    assert "set-cookie" not in fetch(site.address, f"/{auth}?topic=comments").headers
    assert os.listdir(os.path.join(place.folder, "sessions")) == []


def test_the_php_example_sends_its_own_cache_control_alone(site, place):
    answer = fetch(site.address, "/auth.php?topic=comments", headers={"Cookie": sign_in(site, place, "auth.php")})
    assert (answer.status, answer.headers["cache-control"]) == (204, "private, max-age=10")
    assert not {"pragma", "expires"} & set(answer.headers)


def test_the_php_example_admits_while_another_request_holds_the_session_and_read_and_close_would_wait(site, place, streamer):
    running = streamer("auth.php")
    cookie = {"Cookie": sign_in(site, place, "auth.php"), "Connection": "close"}
    with connect(site.address) as holder, connect(site.address) as waiter:
        holder.sendall(request_bytes("/hold.php", headers=cookie))
        wait_until(lambda: os.path.exists(os.path.join(place.folder, "held")), what="the session is held")
        waiter.sendall(request_bytes("/read_and_close.php", headers=cookie))
        with running.open("user:ann", headers=cookie, timeout=1) as stream:
            stream.opened()
        for waiting in (holder, waiter):
            waiting.setblocking(False)
            with pytest.raises(BlockingIOError):
                waiting.recv(1)
            waiting.settimeout(10)
        place.write("release", "")
        assert waiter.recv(4096).endswith(b"ann")


# ---- in the browser ----

def test_the_script_for_the_browser_refreshes_when_it_opens_and_at_each_event(site, place, streamer, processes, tmp):
    streamer()
    place.open_to_the_web_server(place.streamer_socket)
    place.write("www/page.html", f"<!doctype html><script>window.refreshed = 0; function refresh() {{ refreshed++; }}\n"
                                 f"{example('browser')}</script>")
    os.mkdir(os.path.join(tmp, "b"))
    browser = chromium(os.path.join(tmp, "b"))
    try:
        browser.get(f"http://127.0.0.1:{site.port}/page.html")
        wait_until(lambda: browser.execute_script("return refreshed") == 1, what="refreshed at sse.open")
        run(processes, ["sh", "-c"], example("publish-curl"), site)
        wait_until(lambda: browser.execute_script("return refreshed") == 2, what="refreshed at the event")
    finally:
        browser.quit()
