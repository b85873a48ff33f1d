"""Reports: what projects use and may use, and how hosts and guests are."""
