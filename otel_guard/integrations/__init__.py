"""Health endpoints and dashboard in front of an application, one file a kind of application."""
