"""The main job with known faults, on local stand-ins."""
