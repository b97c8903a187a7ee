"""Fixtures for all end-to-end tests. Helpers that are no fixtures are in support.py."""
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from private_redis import PrivateRedis  # noqa: E402
from support import Processes, built, need  # noqa: E402


@pytest.fixture
def tmp():
    """A folder with a short name (a unix socket's path has 107 bytes at most)."""
    folder = tempfile.mkdtemp(prefix="td.", dir="/tmp")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def processes():
    started = Processes()
    yield started
    started.stop_all()


@pytest.fixture
def redis(tmp):
    """A private redis-server: start, stop, kill, pause, resume, call, connect; path and url."""
    need("redis-server")
    folder = os.path.join(tmp, "r")
    os.mkdir(folder)
    server = PrivateRedis(folder)
    yield server
    server.stop()


@pytest.fixture
def bus(redis):
    """A connection to it, for publishing past publish."""
    with redis.connect() as connection:
        yield connection


@pytest.fixture
def publish_program():
    return built("publisher/publish")


@pytest.fixture
def streamer_program():
    return built("streamer/streamer")
