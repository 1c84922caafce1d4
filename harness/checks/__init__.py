"""The invariants, each with the sentence it holds and where that sentence comes from."""
