"""How each family of built-in containers reads the files of a channel, and what it says about those that it refuses.

The algorithms train on what is read here, and `harness check` says what would become of a file: by the same code.
"""
