"""What Postgres knows of a trouble, as Markdown that reads well in a terminal: a function a piece of evidence."""
