"""Which setting to take, among many that are fitted."""
