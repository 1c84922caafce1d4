"""The tests: they mirror harness/."""
