"""resuming: what the tests of those who come back share; the fixtures are for the modules that import them."""
import pytest

from streamer_program import Streamer


@pytest.fixture
def start(streamer_program, processes, redis, tmp):
    def start(**settings):
        return Streamer(streamer_program, processes, redis.url, tmp, **settings).start()
    return start


@pytest.fixture
def streamer(start):
    return start()


def resume(streamer, topics, cursor, **options):
    return streamer.open(topics, headers={"Last-Event-ID": cursor}, **options)


def replayed(stream):
    """The events from sse.open to the id alone that ends the replay: (opened, [(name, id)], last id)."""
    opened, events = stream.opened(), []
    while True:
        block = stream.block()
        if block.event is None and block.id:
            return opened, events, block.id
        if block.event:
            events.append((block.event, block.id))
