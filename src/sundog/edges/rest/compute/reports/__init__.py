"""Reports: what projects used, and how hosts and guests are."""
