"""Pages that the service serves itself: the operations board, the rider's page, the API's documentation."""
