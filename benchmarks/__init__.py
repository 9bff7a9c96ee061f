"""Measures this system against the library it replaces, and against the field: `make bench`."""
