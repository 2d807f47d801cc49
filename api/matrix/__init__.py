"""Travel services that answer matrices by HTTP: how they are asked, and what may go wrong."""
