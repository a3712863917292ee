"""Lights and buzzers."""
