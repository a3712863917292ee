"""What a card can prove, one method a file."""
