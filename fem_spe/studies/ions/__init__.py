"""The studies of ions in a field: electroneutral, and with layers of charge."""
