"""Empty moves by expected coverage."""
