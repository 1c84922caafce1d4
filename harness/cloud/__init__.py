"""The local cloud: one process, one port."""
