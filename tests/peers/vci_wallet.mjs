// A wallet by @openid4vc/openid4vci: it is given an offer and does what that library does with it, nothing more.
//
// Question: {deed: "begin", offer, clientId, redirectUri, scope, clientKey?, dpop?} for the authorization code flow, or
// {deed: "take", offer, clientId, configuration, copies, txCode? | begun + redirect, wait?: transaction, notify?} .

import { createHash, randomBytes } from 'node:crypto'
import * as jose from 'jose'
import { clientAuthenticationNone } from '@openid4vc/oauth2'
import { Openid4vciClient, setGlobalConfig } from '@openid4vc/openid4vci'
import { answer } from './wire.mjs'

setGlobalConfig({ allowInsecureUrls: true }) // the house under test is on this machine

const keys = new Map() // private keys by the thumbprint of their public halves

async function newKey() {
  const { publicKey, privateKey } = await jose.generateKeyPair('ES256', { extractable: true })
  const jwk = await jose.exportJWK(publicKey)
  keys.set(await jose.calculateJwkThumbprint(jwk), privateKey)
  return { jwk, secret: await jose.exportJWK(privateKey) }
}

async function knownKey(secret) {
  const { d, ...jwk } = secret
  keys.set(await jose.calculateJwkThumbprint(jwk), await jose.importJWK(secret, 'ES256'))
  return { jwk, secret }
}

const signer = ({ jwk }) => ({ method: 'jwk', alg: 'ES256', publicJwk: jwk })

function privateKeyJwt(clientId, clientKey, issuer) {
  return async ({ body }) => {
    const { kid, ...secret } = clientKey
    body.client_id = clientId
    body.client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    body.client_assertion = await new jose.SignJWT({ jti: randomBytes(16).toString('hex') })
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'client-authentication+jwt' })
      .setIssuer(clientId).setSubject(clientId).setAudience(issuer)
      .setIssuedAt().setExpirationTime('1m')
      .sign(await jose.importJWK(secret, 'ES256'))
  }
}

function clientFor({ clientId, clientKey, issuer }) {
  return new Openid4vciClient({
    callbacks: {
      fetch,
      hash: (data, alg) => createHash(alg.replace('-', '').toLowerCase()).update(data).digest(),
      generateRandom: (length) => randomBytes(length),
      signJwt: async ({ publicJwk }, { header, payload }) => ({
        jwt: await new jose.SignJWT(payload).setProtectedHeader(header)
          .sign(keys.get(await jose.calculateJwkThumbprint(publicJwk))),
        signerJwk: publicJwk,
      }),
      verifyJwt: async (_signer, { compact }) => {
        const keySet = jose.createRemoteJWKSet(new URL(`${issuer}/.well-known/jwt-vc-issuer-keys`))
        await jose.jwtVerify(compact, keySet)
        return { verified: true }
      },
      clientAuthentication: clientKey
        ? privateKeyJwt(clientId, clientKey, issuer)
        : clientAuthenticationNone({ clientId }),
    },
  })
}

async function begin(question) {
  const client = clientFor(question)
  const credentialOffer = await client.resolveCredentialOffer(question.offer)
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  const dpopKey = question.dpop ? await newKey() : undefined
  const begun = await client.initiateAuthorization({
    credentialOffer, issuerMetadata, clientId: question.clientId, redirectUri: question.redirectUri,
    scope: question.scope, additionalRequestPayload: question.more,
    dpop: dpopKey && { signer: signer(dpopKey) },
  })
  return {
    url: begun.authorizationRequestUrl, verifier: begun.pkce.codeVerifier, dpopKey: dpopKey?.secret,
    flow: begun.authorizationFlow,
  }
}

async function tokenFor(client, question, credentialOffer, issuerMetadata, dpopKey) {
  const dpop = dpopKey && { signer: signer(dpopKey) }
  if (question.txCode !== undefined) {
    return client.retrievePreAuthorizedCodeAccessTokenFromOffer({
      credentialOffer, issuerMetadata, txCode: question.txCode, dpop, additionalRequestPayload: question.more,
    })
  }
  const { code } = client.parseAndVerifyAuthorizationResponseRedirectUrl({
    url: question.redirect, authorizationServerMetadata: issuerMetadata.authorizationServers[0],
  })
  return client.retrieveAuthorizationCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, authorizationCode: code, pkceCodeVerifier: question.verifier,
    redirectUri: question.redirectUri, dpop,
  })
}

async function take(question) {
  const client = clientFor(question)
  const credentialOffer = await client.resolveCredentialOffer(question.offer)
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  const dpopKey = question.dpopKey ? await knownKey(question.dpopKey) : question.dpop ? await newKey() : undefined
  const got = await tokenFor(client, question, credentialOffer, issuerMetadata, dpopKey)
  const accessToken = got.accessTokenResponse.access_token
  let dpop = dpopKey && { signer: signer(dpopKey), ...got.dpop }
  const told = { ...got.accessTokenResponse, access_token: undefined }
  const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata })
  const held = []
  for (let copy = 0; copy < question.copies; copy += 1) held.push(await newKey())
  const jwt = []
  for (const key of held) {
    const made = await client.createCredentialRequestJwtProof({
      issuerMetadata, credentialConfigurationId: question.configuration, signer: signer(key), nonce,
      clientId: question.clientId,
    })
    jwt.push(made.jwt)
  }
  const asked = await client.retrieveCredentials({
    issuerMetadata, accessToken, credentialConfigurationId: question.configuration, proofs: { jwt }, dpop,
  })
  dpop = dpopKey && { signer: signer(dpopKey), ...asked.dpop }
  const response = asked.credentialResponse
  if (question.notify !== undefined && response.notification_id !== undefined) {
    await client.sendNotification({
      issuerMetadata, accessToken, dpop, notification: { notificationId: response.notification_id, event: question.notify },
    })
  }
  return {
    offer: credentialOffer, told, response, keys: held.map(({ secret }) => secret),
    token: accessToken, draft: issuerMetadata.originalDraftVersion, dpopKey: dpopKey?.secret,
  }
}

async function wait(question) {
  const client = clientFor(question)
  const issuerMetadata = await client.resolveIssuerMetadata(question.issuer)
  const asked = await client.retrieveDeferredCredentials({
    issuerMetadata, accessToken: question.token, transactionId: question.transaction,
  })
  return asked.deferredCredentialResponse
}

await answer((question) => ({ begin, take, wait })[question.deed](question))
