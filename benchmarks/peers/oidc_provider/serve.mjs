// The npm package oidc-provider in one process, with its memory store and its development pages for login and consent:
// it keeps nothing over a restart and checks no password. Access tokens for the resource are JWT (ES256), others opaque.
// Arguments: the port, and the JSON of {client, secret, redirect_uri, resource, scope}.
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const stated = JSON.parse(process.argv[3]);
const hour = 3600;
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: stated.client,
      client_secret: stated.secret,
      token_endpoint_auth_method: 'client_secret_basic',
      application_type: 'native', // which allows a redirect to this machine over http
      redirect_uris: [stated.redirect_uri],
      response_types: ['code'],
      grant_types: ['authorization_code', 'client_credentials'],
      id_token_signed_response_alg: 'ES256',
    },
  ],
  jwks: { keys: [{ ...key, kid: '1', use: 'sig', alg: 'ES256' }] },
  cookies: { keys: ['a-key-for-benchmarks'] },
  scopes: ['openid', 'profile', stated.scope],
  claims: { openid: ['sub'], profile: ['name'] },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, name: id }) }),
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: stated.scope,
        accessTokenFormat: 'jwt',
        accessTokenTTL: hour,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  ttl: {
    AccessToken: hour,
    AuthorizationCode: 60,
    ClientCredentials: hour,
    Grant: hour,
    IdToken: hour,
    Interaction: 600,
    Session: hour,
  },
});
provider.on('server_error', (_context, error) => console.error(error));
provider.listen(port, '127.0.0.1');
