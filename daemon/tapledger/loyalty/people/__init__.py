"""What members do and are given: joining, referral, birthdays, visits, missions, surveys, rights."""
