"""The JSON documents in the database: declared here, once.

A newer Sundog may have written a field that this one does not know. It would be lost
at the next write, so a document with an unknown field is refused instead.
"""
