"""The pages of the kiosk, one subject a file: what they show, and the acts that lead to them and on."""
