"""The ``sundog`` command; it speaks only REST."""
