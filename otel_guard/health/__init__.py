"""How the application and what it depends on are: passive first, active checks where traffic is thin."""
