"""One good and one failing real call of each library, against a local stand-in."""
