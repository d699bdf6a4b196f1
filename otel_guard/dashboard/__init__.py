"""The pages: one WSGI application, nothing to build; needs the extra `dashboard`."""
