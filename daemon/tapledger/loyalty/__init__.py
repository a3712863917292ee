"""The merchant's rules as pure functions: values and ``now`` in, a Decision out. No I/O, no clock."""
