"""The lives of claims and servers, one transition table each."""
