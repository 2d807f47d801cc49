"""Tests of api.http.people."""
