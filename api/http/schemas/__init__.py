"""The words of the wire, one module a subject."""
