"""Wallets of others (电子钱包): licences issued into them, and presentations asked of them."""
