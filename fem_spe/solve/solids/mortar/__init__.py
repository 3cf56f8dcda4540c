"""Contact of two meshed bodies: one surface hangs on another whose mesh does not match."""
