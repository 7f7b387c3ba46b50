"""Named metrics of the machines, where node_exporter is scraped too (tiup deploys it, the operator does not)."""

from opsai_subjects.subject import Signal
from opsai_tikv.metric import signal, topic

_NODE = "node_exporter"
_DEVICE = '{device!~"loop.*|ram.*|sr.*"}'
_FILES = '{fstype!~"tmpfs|overlay|squashfs|ramfs"}'
_LINK = '{device!~"lo|veth.*|docker.*|cali.*|flannel.*"}'


def _each(name: str, matchers: str = _DEVICE) -> str:
    return f"rate({name}{matchers}[$range])"


HOSTS: tuple[Signal, ...] = topic(
    "hosts",
    signal(
        "host_cpu_ratio",
        '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$range]))',
        "ratio",
        "busy share of the machine's processors",
        "under 0.8 (rule of thumb)",
        pitfalls="`instance` is the exporter's own address (port 9100): match nodes by their host.",
        needs=_NODE,
        grain=0.1,
    ),
    signal(
        "host_iowait_ratio",
        'avg by (instance) (rate(node_cpu_seconds_total{mode="iowait"}[$range]))',
        "ratio",
        "share of time that processors had nothing to do but to wait for a disk",
        "under 0.1 (rule of thumb)",
        needs=_NODE,
        grain=0.05,
    ),
    signal(
        "host_steal_ratio",
        'avg by (instance) (rate(node_cpu_seconds_total{mode="steal"}[$range]))',
        "ratio",
        "share of time that the hypervisor gave to others",
        "about 0",
        needs=_NODE,
    ),
    signal(
        "host_memory_available_ratio",
        "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
        "ratio",
        "memory that programs can still get",
        "over 0.1; less ends in the kernel killing a process",
        needs=_NODE,
        grain=0.05,
    ),
    signal(
        "host_disk_write_seconds",
        f"{_each('node_disk_write_time_seconds_total')} / {_each('node_disk_writes_completed_total')}",
        "s",
        "how long a write takes on each disk",
        "under 0.01 s; 0.016 s for 3 minutes alarms (pingcap/monitoring node.rules.yml)",
        pitfalls="NaN where none completed: idle or hung, so look at host_disk_queue.",
        needs=_NODE,
        grain=0.005,
    ),
    signal(
        "host_disk_read_seconds",
        f"{_each('node_disk_read_time_seconds_total')} / {_each('node_disk_reads_completed_total')}",
        "s",
        "how long a read takes on each disk",
        "under 0.01 s; 0.032 s for 3 minutes alarms (pingcap/monitoring node.rules.yml)",
        needs=_NODE,
        grain=0.005,
    ),
    signal(
        "host_disk_busy_ratio",
        _each("node_disk_io_time_seconds_total"),
        "ratio",
        "share of time that the disk had anything to do",
        "under 0.9",
        pitfalls="Says little of disks that do many things at once (NVMe, cloud): 1 may be far from their limit.",
        needs=_NODE,
        grain=0.1,
    ),
    signal(
        "host_disk_queue",
        f"node_disk_io_now{_DEVICE}",
        "count",
        "requests at the disk that are not done: it stays up while the disk hangs",
        "the disk's usual depth",
        needs=_NODE,
        grain=8.0,
    ),
    signal(
        "host_files_free_ratio",
        f"node_filesystem_avail_bytes{_FILES} / node_filesystem_size_bytes{_FILES}",
        "ratio",
        "free share of each file system",
        "over 0.2",
        needs=_NODE,
        grain=0.02,
    ),
    signal(
        "host_files_read_only",
        f"node_filesystem_readonly{_FILES}",
        "0/1",
        "whether a file system was made read-only: the kernel does so when a disk fails",
        "0",
        needs=_NODE,
    ),
    signal(
        "host_network_bytes",
        f"sum by (instance) ({_each('node_network_transmit_bytes_total', _LINK)})",
        "bytes/s",
        "what the machine sends",
        "under 80 % of the link",
        needs=_NODE,
        grain=4 * 2.0**20,
    ),
    signal(
        "host_network_errors",
        f"sum by (instance) ({_each('node_network_receive_errs_total', _LINK)}"
        f" + {_each('node_network_receive_drop_total', _LINK)})",
        "1/s",
        "packets that arrived damaged or were dropped",
        "about 0",
        needs=_NODE,
        grain=5.0,
    ),
    signal(
        "host_tcp_retransmit_ratio",
        "rate(node_netstat_Tcp_RetransSegs[$range]) / rate(node_netstat_Tcp_OutSegs[$range])",
        "ratio",
        "share of TCP segments that were sent again: a lossy network",
        "under 0.01 (rule of thumb)",
        needs=_NODE,
        grain=0.005,
    ),
    signal(
        "host_clock_offset_seconds",
        "node_timex_offset_seconds",
        "s",
        "how far the clock is from its time source",
        "within 0.1 s",
        pitfalls="0 where no time service runs at all: see node_timex_sync_status.",
        needs=_NODE,
        grain=0.1,
    ),
    signal(
        "host_io_pressure_ratio",
        "rate(node_pressure_io_stalled_seconds_total[$range])",
        "ratio",
        "share of time that all tasks waited for IO (kernel 4.20 and later)",
        "under 0.1 (rule of thumb)",
        needs=_NODE,
        grain=0.05,
    ),
)
