"""What Nova's API was once, as far as its older microversions still have it."""
