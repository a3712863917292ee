"""A whole chain on one machine: the only room that may import central and the emulators."""
