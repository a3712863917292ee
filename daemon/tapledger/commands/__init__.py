"""What the commands of ``tapledger`` do, one a module; cli.py only parses and prints."""
