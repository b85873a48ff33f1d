"""Hot-plug, which libvirt's test driver lacks."""
