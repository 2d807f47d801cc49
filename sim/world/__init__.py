"""The true city: riders, customers, kitchens, their phones and their luck."""
