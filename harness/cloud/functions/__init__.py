"""Running Lambda functions: execution environments, the Runtime API, Invoke and what it answers."""
