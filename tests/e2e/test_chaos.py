"""The judge's short form: one run a profile, whose seeds are fixed. chaos.py has the long one."""
import os
import subprocess
import sys

import pytest

from support import TOP, built, need

SECONDS = 16  # of faults; the start, the way to the end and the verdict take some more


@pytest.mark.parametrize("profile,seed", [("durable", 1), ("trimmed", 2), ("volatile", 3), ("sentinel", 1), ("cluster", 2),
                                          ("shards", 3)])
def test_whatever_breaks_events_arrive_once_and_in_order_or_the_hole_is_told(profile, seed):
    need("redis-server")
    built("publisher/publish"), built("streamer/streamer")
    judged = subprocess.run([sys.executable, os.path.join(TOP, "tests/e2e/chaos.py"), "--seed", str(seed), "--profile",
                             profile, "--seconds", str(SECONDS)], capture_output=True, text=True, timeout=150, check=False)
    print(judged.stdout, judged.stderr)
    assert judged.returncode == 0
