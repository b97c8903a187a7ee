"""crew: the workers of one streamer, as tests look at them: which of them has a stream, a stream at each, one that dies."""
import os
import signal

from support import wait_until


def sockets_of(pid):
    """The inodes of a process's sockets."""
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def worker_of(streamer, stream):
    """The worker that has the other end of a stream over TCP."""
    port = stream.socket.getsockname()[1]
    with open("/proc/net/tcp", encoding="ascii") as file:
        inode = next(words[9] for words in map(str.split, list(file)[1:])
                     if words[2].endswith(":%04X" % port) and words[1].endswith(":%04X" % streamer.address[1]))
    return next(pid for pid in streamer.worker_pids() if inode in sockets_of(pid))


def one_of_each(streamer, topics="a"):
    """{worker: stream}: as many streams as it takes until each worker has one; the others are closed."""
    found = {}

    def complete():
        stream = streamer.live(topics)
        pid = worker_of(streamer, stream)
        if pid in found:
            stream.close()
        else:
            found[pid] = stream
        return len(found) == len(streamer.worker_pids())
    wait_until(complete, what="each worker has a stream")
    wait_until(lambda: streamer.metrics()["connections"]["current"] == len(found), what="the others are gone")
    return found


def close_all(streams):
    for stream in streams:
        stream.close()


def kill_worker(streamer, pid):
    """Kills it, and waits for its successor."""
    streamer.workers_may_die = True
    others = [other for other in streamer.worker_pids() if other != pid]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: pid not in streamer.worker_pids() and len(streamer.worker_pids()) == len(others) + 1,
               what="its successor is there")
    assert set(others) < set(streamer.worker_pids())
    streamer.wait_ready()
