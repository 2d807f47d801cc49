"""What tests are made with: a service, a city, cases, slow twins."""
