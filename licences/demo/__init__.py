"""The demonstration city (示范市): made-up people, organisations and departments, pure and reproducible.

Nobody in it exists: every number has a region code that GB/T 2260 never assigned (3799xx), telephone numbers begin with
100, which no network uses, and each licence is recorded with `demonstration: true`.
"""
