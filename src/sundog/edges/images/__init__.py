"""The images of the embedded mode: files in a folder."""
