"""What elasticity and indentation share, and their ways beyond linear elasticity."""
