#!/usr/bin/python3
# alone
"""
A thousand idle connections cost next to nothing: CPU time of the process over 10 s, memory each.

The measured values are printed. The bounds are far above them, so that the test fails for a timer
or a poll per connection and not for a busy machine: CPU time is the process's own.
"""

import os
import resource
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, cpu_seconds, rss_kib

CONNECTIONS = int(os.environ.get("CONNECTIONS", "1000"))
SECONDS = 10
CPU_PERCENT = 1.0
KIB_EACH = 64


def main():
    """Opens, waits, measures."""
    support.need("quanta")
    with Node() as server:
        # After the start, so that the server has to provide for its own descriptors.
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < CONNECTIONS + 100:
            support.skip(f"the limit of open files is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (CONNECTIONS + 100, hard))
        server.value("SELECT 1")
        before = rss_kib(server.pid)
        connections = [server.connect() for _ in range(CONNECTIONS)]
        for conn in connections[::100]:
            conn.cursor().execute("SELECT 1")
        time.sleep(1)
        each = (rss_kib(server.pid) - before) / CONNECTIONS
        start, began = cpu_seconds(server.pid), time.monotonic()
        time.sleep(SECONDS)
        percent = 100 * (cpu_seconds(server.pid) - start) / (time.monotonic() - began)
        print(f"{CONNECTIONS} idle connections: {percent:.2f} % CPU over {SECONDS} s, "
              f"{each:.1f} KiB each")
        for conn in connections:
            with conn.cursor() as cur:
                cur.execute("SELECT 1")
        for conn in connections:
            conn.close()
        if not support.IS_SANITIZED:
            assert percent < CPU_PERCENT, f"{percent:.2f} % CPU, allowed are {CPU_PERCENT} %"
            assert each < KIB_EACH, f"{each:.1f} KiB for a connection, allowed are {KIB_EACH}"
        server.stop()


if __name__ == "__main__":
    main()
