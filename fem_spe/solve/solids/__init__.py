"""Bodies that deform: elastic, yielding, at large strain; balls in contact with them."""
