"""The queue on disk: append, read, deliver, adopt."""
