"""The member's kiosk: one session, the page that stands, and what can be done on it."""
