"""What people do in a shop, one use case a module: read, decide, record, in one transaction."""
