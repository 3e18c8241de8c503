"""Presentations asked of wallets: OpenID for Verifiable Presentations 1.0, with us as the verifier."""
