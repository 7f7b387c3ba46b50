"""The adapter for etcd: members that keep one raft log."""
