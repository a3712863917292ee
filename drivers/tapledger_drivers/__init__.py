"""Drivers for card readers, scanners and receipt printers; they know nothing of the product."""
