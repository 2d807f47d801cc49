"""Fixtures of services on streets."""

from tests.kit.service.traffic_town import file as file
from tests.kit.service.traffic_town import town as town
