"""Holds a process back without control groups: stops and continues it ten times a second.

It is a share of time, of all the process's threads alike, not of one core. It ends with the process; whoever ends it
continues the process. It stops only a process with the birth it was told: never a later one that has the pid.
"""

import os
import signal
import sys
import time

from opsai_lab.targets.processes.launcher import birth as birth_of

PERIOD_SECONDS = 0.1


def main() -> None:
    """Cycle: PID, birth and share on the command line."""
    pid, birth, share = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    runs = min(max(share, 0.01), 1.0) * PERIOD_SECONDS
    while birth_of(pid) == birth:
        os.killpg(pid, signal.SIGSTOP)
        time.sleep(PERIOD_SECONDS - runs)
        os.killpg(pid, signal.SIGCONT)
        time.sleep(runs)


if __name__ == "__main__":
    main()
