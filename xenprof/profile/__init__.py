"""Defines profiles: samples by place in an image, and samples by call stack."""
