"""What the study of dendrites consists of."""
