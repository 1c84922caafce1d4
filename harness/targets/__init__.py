"""Where a scenario runs, and what that place can do."""
