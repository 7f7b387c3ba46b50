"""The limits of the invariants that have one, and where each figure comes from is said there."""

LIMITS: dict[str, float] = {
    "etcd_quorum_margin": 1,
    "etcd_members_enough": 3,
    "etcd_leader_steady": 3,
    "etcd_terms_agree": 1,
    "etcd_clocks_agree": 2.0,
    "etcd_db_within_quota": 0.8,
    "etcd_db_compact": 0.5,
    "etcd_wal_fast": 0.05,
    "etcd_backend_fast": 0.1,
    "etcd_proposals_flow": 50,
    "etcd_proposals_succeed": 0.5,
    "etcd_applies_in_step": 1000,
    "etcd_follower_in_step": 1000,
    "etcd_learner_in_step": 0.9,
    "etcd_applies_fast": 1.0,
    "etcd_network_fast": 0.15,
    "etcd_cpu_enough": 0.5,
    "etcd_files_enough": 0.8,
    "etcd_log_written": 1800.0,
    "etcd_our_clock_true": 2.0,
}
