"""What runs inside a built-in image; speaks only the container contract."""
