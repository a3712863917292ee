"""Where devices and faces meet: what a reader saw goes to its face, how devices are goes to the screens."""
