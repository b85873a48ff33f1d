"""The REST edge: Nova's compute API, images, identity stubs and Sundog's own."""
