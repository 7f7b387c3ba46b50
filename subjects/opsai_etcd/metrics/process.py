"""Named metrics of a member's process and of its scrape."""

from functools import partial

from opsai_etcd.metric import NO_GRAIN, most, rate, signal
from opsai_subjects.subject import Signal

_process = partial(signal, topic="process")

PROCESS: tuple[Signal, ...] = (
    _process("up", most("up"), "0/1", "whether its metrics can be scraped", "1"),
    _process(
        "scrape_seconds",
        most("scrape_duration_seconds"),
        "s",
        "how long a scrape of it takes: it grows where the process gets too little processor time",
        "under 0.1 s (measured on idle members: 0.005 to 0.02 s)",
        grain=0.05,
    ),
    _process(
        "start_time",
        most("process_start_time_seconds"),
        "s",
        "when its process started, as a Unix time",
        "unchanged",
        grain=NO_GRAIN,
    ),
    _process("cpu", rate("process_cpu_seconds_total"), "cores", "the processor time it takes", "the load"),
    _process(
        "rss",
        most("process_resident_memory_bytes"),
        "bytes",
        "its memory",
        "the keys and watches; the backend's file is mapped and counts as far as it is touched",
        grain=64 * 2.0**20,
    ),
    _process(
        "fd_ratio",
        "max by (instance) (process_open_fds) / max by (instance) (process_max_fds)",
        "ratio",
        "which part of its file descriptors are open: one for each client connection",
        "under 0.8 (etcd warns at 80 %: etcdserver/metrics.go monitorFileDescriptor)",
    ),
    _process(
        "goroutines",
        most("go_goroutines"),
        "count",
        "goroutines: some for each connection and watch",
        "the clients",
        grain=200.0,
    ),
)
