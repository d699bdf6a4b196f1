"""Looks whether everything that the guard needs is there and works, and says what to do where it does not."""
