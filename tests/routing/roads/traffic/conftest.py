"""The town of these tests."""

from tests.kit.roads.town import town as town
