"""Run as a script: saves sessions into a store for ever, in children that are killed at any moment.

`saving_for_ever.py STORE SESSION_DIR N SEED`: each of N children saves and saves again, writing to a pipe what was
saved, until it is killed with a signal that nothing can catch. Prints the ids that were reported, one in a line, with
how many turns they had.
"""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import time
from dataclasses import replace

import llm_tracker as lt
from llm_tracker.storage.store import saving

LONGEST_SECONDS = 0.12


def save_for_ever(address: str, directory: str, report: int) -> None:
    store, session = lt.open_store(address), lt.load_session(directory)
    first = replace(session, turns=session.turns[:1], controls={})
    while True:
        number = store.save(first)
        os.write(report, f"{number} 1\n".encode())
        store.save(session, number, first)
        os.write(report, f"{number} 2\n".encode())


def main() -> None:
    address, directory, n, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    chance = random.Random(seed)
    lt.open_store(address).database.close()
    for at in range(n):
        saving.MAX_ROW_BYTES = 100 if at % 2 else 10**9  # arrays in files of their own, and in the database
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            save_for_ever(address, directory, write)
        os.close(write)
        select.select([read], [], [], 20)  # it has saved something
        time.sleep(chance.uniform(0, LONGEST_SECONDS))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(read) as reported:
            sys.stdout.write(reported.read())


if __name__ == "__main__":
    main()
