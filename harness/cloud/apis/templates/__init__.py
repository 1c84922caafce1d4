"""Mapping templates: the Velocity language, and what API Gateway puts into it."""
