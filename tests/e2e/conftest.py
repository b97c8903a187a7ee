"""Fixtures for all end-to-end tests. Helpers that are no fixtures are in support.py."""
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from auth_backend import AuthBackend  # noqa: E402
from private_cluster import PrivateCluster  # noqa: E402
from private_redis import PrivateRedis  # noqa: E402
from private_sentinel import PrivateSentinel  # noqa: E402
from streamer_program import Streamer  # noqa: E402
from support import Processes, built, need  # noqa: E402


@pytest.fixture
def tmp():
    """A folder with a short name (a unix socket's path has 107 bytes at most)."""
    folder = tempfile.mkdtemp(prefix="td.", dir="/tmp")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def processes(tmp):  # ended while their folder is still there
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
def backend():
    """An auth URL that allows everything, until its answer is set."""
    backend = AuthBackend(("127.0.0.1", 0))
    yield backend
    backend.close()


@pytest.fixture
def start_asking(streamer_program, processes, redis, tmp, backend):
    """start_asking(setting=value, …): a streamer that asks the backend, and waits long for it."""
    def start(**settings):
        return Streamer(streamer_program, processes, redis.url, tmp,
                        **{"auth": "url", "auth_url": backend.url, "auth_timeout_ms": 10000, **settings}).start()
    return start


@pytest.fixture
def sentinel(tmp):
    """A master, a replica and three sentinels: url, master, call, kill_master, wait_failover, restart, promote."""
    need("redis-server")
    started = PrivateSentinel(tmp)
    yield started
    started.close()


@pytest.fixture
def cluster(tmp):
    """Three masters: url, nodes, owner_of, call, move_slot, wait_ok; each node: kill, start, pause, resume."""
    need("redis-server")
    started = PrivateCluster(tmp)
    yield started
    started.close()


@pytest.fixture
def replicated_cluster(tmp):
    """The same with a replica for each: replica_of, promote, wait_failover."""
    need("redis-server")
    started = PrivateCluster(tmp, replicas=True)
    yield started
    started.close()


@pytest.fixture
def publish_program():
    return built("publisher/publish")


@pytest.fixture
def streamer_program():
    return built("streamer/streamer")
