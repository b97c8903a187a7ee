"""The auth URL as PHP pages behind a web server: what they say of their answers is heeded, one topic at a time and in one
call for all."""
import os

import pytest

from streamer_program import Streamer
from test_readme import place, sign_in, site  # noqa: F401  (fixtures)

PAGES = {
    # Who is signed in may hear what is theirs; each call leaves a line.
    "cached.php": """<?php session_start();
        file_put_contents('../calls', session_id() . " {$_GET['topic']}\\n", FILE_APPEND | LOCK_EX);
        header_remove();
        header('Cache-Control: private, max-age=3600');
        $own = isset($_SESSION['user']) && $_GET['topic'] === "user:{$_SESSION['user']}";
        http_response_code($own ? 204 : 403);""",
    "limited.php": """<?php session_start();
        file_put_contents('../calls', session_id() . " {$_GET['topic']}\\n", FILE_APPEND | LOCK_EX);
        http_response_code(204);""",
    "batch.php": """<?php session_start();
        $topics = json_decode(file_get_contents('php://input'), true)['topics'];
        file_put_contents('../calls', session_id() . ' ' . implode(' ', $topics) . "\\n", FILE_APPEND | LOCK_EX);
        $own = fn($topic) => $topic === 'shared/news' || $topic === "user:{$_SESSION['user']}";
        header('Content-Type: application/json');
        echo json_encode(['allow' => array_values(array_filter($topics, $own)),
                          'deny' => array_values(array_filter($topics, fn($topic) => !$own($topic)))]);""",
}


@pytest.fixture
def start(place, site, processes, redis, streamer_program):  # noqa: F811
    for name, text in PAGES.items():
        place.write("www/" + name, text)

    def start(page, **settings):
        return Streamer(streamer_program, processes, redis.url, place.folder, auth="url",
                        auth_url=f"http://127.0.0.1:{site.port}/{page}", **settings).start()
    return start


def calls(place):  # noqa: F811
    path = os.path.join(place.folder, "calls")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [line.split()[1:] for line in file]


def test_a_page_that_allows_it_is_asked_once_a_session_and_topic(start, site, place):  # noqa: F811
    streamer = start("cached.php")
    for _ in range(3):
        ann = {"Cookie": sign_in(site, place, "cached.php")}
        for _ in range(3):
            with streamer.live("user:ann", headers=ann):
                pass
            assert streamer.get("/events?topic=user:bob", headers=ann).status == 403
    assert sorted(calls(place)) == [["user:ann"]] * 3 + [["user:bob"]] * 3


def test_what_php_sends_with_a_session_forbids_it(start, site, place):  # noqa: F811
    streamer = start("limited.php")
    ann = {"Cookie": sign_in(site, place, "limited.php")}
    for _ in range(3):
        with streamer.live("user:ann", headers=ann):
            pass
    assert len(calls(place)) == 3


def test_a_page_is_asked_about_all_topics_at_once(start, site, place):  # noqa: F811
    streamer = start("batch.php", auth_mode="batch")
    ann = {"Cookie": sign_in(site, place, "batch.php")}
    with streamer.live("shared/news,user:ann", headers=ann):
        assert calls(place) == [["shared/news", "user:ann"]]
    denied = streamer.get("/events?topic=user:ann,user:bob,x", headers=ann)
    assert (denied.status, denied.json["detail"]) == (403, "Not authorized to access topic: user:bob")
