"""The one computer of a shop that stands between its kiosks and central, where it is configured to."""
