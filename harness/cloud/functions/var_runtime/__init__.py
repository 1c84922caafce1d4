"""What a function's process finds under /var/runtime: files that are copied there, no part of this program."""
