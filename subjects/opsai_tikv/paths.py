"""The paths that may be read, as regular expressions of whole paths: everything else is refused before it is sent.

Left out on purpose: `/pd/api/v1/regions` (all of them), `stats/region` (looped for ever on a master of March 2026),
`regions/store/ID` (no limit), profiles under `/debug`, and everything that TiKV's status port can be made to do.
"""

_PD = (
    r"/health",
    r"/pd/api/v1/(?:members|leader|health|status|ping|ready|version|cluster|cluster/status)",
    r"/pd/api/v1/(?:stores|stores/check|stores/limit|stores/progress|store/\d+|labels)",
    r"/pd/api/v1/regions/(?:count|key|writeflow|readflow|check/[a-z]+-(?:peer|region)|range-holes|sibling/\d+)",
    r"/pd/api/v1/region/id/\d+",
    r"/pd/api/v1/region/key/[^/]{1,4000}",
    r"/pd/api/v1/hotspot/(?:regions/read|regions/write|stores|buckets)",
    r"/pd/api/v1/(?:operators|operators/\d+|operators/records)",
    r"/pd/api/v1/(?:schedulers|schedulers/diagnostic/[a-z-]+|scheduler-config|scheduler-config/[a-z0-9-]+/list)",
    r"/pd/api/v1/checker/[a-z-]+",
    r"/pd/api/v1/config(?:/schedule|/replicate|/pd-server|/cluster-version|/replication-mode|/placement-rule)?",
    r"/pd/api/v1/config/(?:rules|rules/region/\d+/detail|rule_groups|region-label/rules)",
    r"/pd/api/v1/(?:gc/safepoint|min-resolved-ts|replication_mode/status)",
    r"/pd/api/v1/admin/unsafe/remove-failed-stores/show",
    r"/pd/api/v2/ready|/livez|/readyz",
)
_STATUS_PORT = (r"/status", r"/ready", r"/config", r"/region/\d+")

PATHS: tuple[str, ...] = _PD + _STATUS_PORT
