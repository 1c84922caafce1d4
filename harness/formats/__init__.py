"""Bytes to arrays and back: recordIO-protobuf, CSV. Pure functions that know nothing else here."""
