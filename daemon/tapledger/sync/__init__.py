"""The shop's side of sync: enrol once, push what was recorded, pull what others recorded."""
