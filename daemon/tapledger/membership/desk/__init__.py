"""What staff do for a member by name: one command each, for the API and the command line alike."""
