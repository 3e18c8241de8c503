"""Issuing copies of licences into wallets (钱包签发): OpenID for Verifiable Credential Issuance 1.0."""
