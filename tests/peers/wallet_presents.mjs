// A wallet made of other people's parts: it follows a link as OpenID4VP 1.0 says, chooses by DCQL, presents and submits.
//
// In: { link, server, issuer, jwk, credentials: [{ format, credential }], wallet }. `server` is where the house listens
// in the test, `issuer` what it calls itself. Out: what was asked, and what the response endpoint answered.

import { createHash, createPublicKey, X509Certificate } from 'node:crypto'
import { Openid4vpClient } from '@openid4vc/openid4vp'
import { setGlobalConfig } from '@openid4vc/oauth2'
import { CoseKey, DeviceRequest, DeviceResponse, DocRequest, IssuerSigned, ItemsRequest, SessionTranscript } from '@owf/mdoc'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { DcqlQuery } from 'dcql'
import { calculateJwkThumbprint, CompactEncrypt, CompactSign, compactVerify, importJWK } from 'jose'
import { answer } from './wire.mjs'

setGlobalConfig({ allowInsecureUrls: true }) // plain http, on this machine

const hash = (data, algorithm = 'sha-256') => new Uint8Array(createHash(algorithm.replace('-', '')).update(data).digest())
const certificate = (text) => new X509Certificate(Buffer.from(text, 'base64'))

async function sign(jwk, data) {
  const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, data))
}

function callbacks({ server, issuer }) {
  return {
    hash: (data, algorithm) => hash(data, algorithm),
    fetch: (url, init) => fetch(String(url).replace(issuer, server), init),
    verifyJwt: async (signer, { compact }) => {
      if (signer.method !== 'x5c') throw new Error(`signed by ${signer.method}`)
      const key = createPublicKey(certificate(signer.x5c[0]).publicKey.export({ format: 'pem', type: 'spki' }))
      await compactVerify(compact, key, { algorithms: ['ES256'] })
      return { verified: true, signerJwk: key.export({ format: 'jwk' }) }
    },
    encryptJwe: async ({ publicJwk, alg, enc }, text) => {
      const header = { alg, enc, kid: publicJwk.kid }
      const key = await importJWK(publicJwk, alg)
      return { encryptionJwk: publicJwk, jwe: await new CompactEncrypt(Buffer.from(text)).setProtectedHeader(header).encrypt(key) }
    },
    getX509CertificateMetadata: (text) => ({
      sanDnsNames: (certificate(text).subjectAltName ?? '').split(', ').map((name) => name.replace('DNS:', '')),
      sanUriNames: [],
    }),
    decryptJwe: () => { throw new Error('not expected') },
    signJwt: () => { throw new Error('not expected') },
  }
}

// Each holder of a credential: what the query sees of it, and how it is presented.
const holders = {
  'dc+sd-jwt': async ({ credential }, { jwk, request }) => {
    const instance = new SDJwtVcInstance({
      hasher: (data, algorithm) => hash(data, algorithm),
      hashAlg: 'sha-256',
      kbSigner: async (data) => Buffer.from(await sign(jwk, Buffer.from(data))).toString('base64url'),
      kbSignAlg: 'ES256',
    })
    const claims = await instance.getClaims(credential)
    return {
      seen: { credential_format: 'dc+sd-jwt', vct: claims.vct, claims, cryptographic_holder_binding: true },
      present: (chosen) => {
        const frame = Object.fromEntries(Object.keys(chosen).filter((name) => name.startsWith('face_') || name.startsWith('holder_') || name === 'licence_number').map((name) => [name, true]))
        const payload = { iat: Math.floor(Date.now() / 1000), aud: request.client_id, nonce: request.nonce }
        return instance.present(credential, frame, { kb: { payload } })
      },
    }
  },
  mso_mdoc: async ({ credential }, { jwk, request }) => {
    const issued = IssuerSigned.fromEncodedForOid4Vci(credential)
    const docType = issued.issuerAuth.mobileSecurityObject.docType
    const namespaces = {}
    for (const [space, items] of issued.issuerNamespaces.issuerNamespaces) {
      namespaces[space] = Object.fromEntries(items.map((item) => [item.elementIdentifier, String(item.elementValue)]))
    }
    return {
      seen: { credential_format: 'mso_mdoc', doctype: docType, namespaces, cryptographic_holder_binding: true },
      present: async (chosen) => {
        const asked = Object.fromEntries(Object.entries(chosen).map(([space, each]) => [space, Object.fromEntries(Object.keys(each).map((name) => [name, false]))]))
        const context = { crypto: { digest: ({ bytes }) => hash(bytes) }, cose: { sign1: { sign: ({ toBeSigned }) => sign(jwk, toBeSigned) } } }
        const key = request.client_metadata.jwks?.keys[0]
        const sessionTranscript = await SessionTranscript.forOid4Vp({
          clientId: request.client_id,
          nonce: request.nonce,
          jwkThumbprint: key && new Uint8Array(Buffer.from(await calculateJwkThumbprint(key), 'base64url')),
          responseUri: request.response_uri,
        }, context)
        const itemsRequest = ItemsRequest.create({ docType, namespaces: asked })
        const response = await DeviceResponse.createWithDeviceRequest({
          deviceRequest: DeviceRequest.create({ docRequests: [DocRequest.create({ itemsRequest })] }),
          sessionTranscript,
          issuerSigned: [issued],
          signature: { signingKey: CoseKey.fromJwk({ ...jwk, alg: 'ES256' }) },
        }, context)
        return response.encodedForOid4Vp
      },
    }
  },
  jwt_vc_json: async ({ credential }, { jwk, request }) => {
    const claims = JSON.parse(Buffer.from(credential.split('.')[1], 'base64url'))
    return {
      seen: { credential_format: 'jwt_vc_json', type: claims.type, claims, cryptographic_holder_binding: true },
      present: async () => {
        const iat = Math.floor(Date.now() / 1000)
        const vp = { '@context': ['https://www.w3.org/2018/credentials/v1'], type: ['VerifiablePresentation'], verifiableCredential: [credential] }
        const payload = { aud: request.client_id, nonce: request.nonce, iat, exp: iat + 60, vp }
        const signer = new CompactSign(Buffer.from(JSON.stringify(payload))).setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
        return signer.sign(await importJWK(jwk, 'ES256'))
      },
    }
  },
}

await answer(async (asked) => {
  const client = new Openid4vpClient({ callbacks: callbacks(asked) })
  const { params } = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: asked.link })
  const resolved = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: params, wallet: asked.wallet })
  const request = resolved.authorizationRequestPayload
  const held = await Promise.all(asked.credentials.map((one) => holders[one.format](one, { ...asked, request })))
  const query = DcqlQuery.parse(resolved.dcql.query)
  DcqlQuery.validate(query)
  const result = DcqlQuery.query(query, held.map(({ seen }) => seen))
  const told = { version: resolved.version, prefix: resolved.client.prefix, satisfied: result.can_be_satisfied, request }
  if (!result.can_be_satisfied) return told
  const chosen = {}
  for (const [id, match] of Object.entries(result.credential_matches)) {
    if (!match.success) continue
    const [best] = match.valid_credentials
    const output = best.claims.valid_claim_sets?.[0]?.output ?? best.meta.output.claims ?? {}
    chosen[id] = [await held[best.input_credential_index].present(output)]
  }
  const created = await client.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request,
    authorizationResponsePayload: { vp_token: chosen },
    jarm: request.response_mode === 'direct_post.jwt'
      ? {
          encryption: { nonce: request.nonce },
          serverMetadata: {
            authorization_signing_alg_values_supported: [],
            authorization_encryption_alg_values_supported: ['ECDH-ES'],
            authorization_encryption_enc_values_supported: ['A256GCM'],
          },
        }
      : undefined,
  })
  const { response } = await client.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request,
    authorizationResponsePayload: created.authorizationResponsePayload,
    jarm: created.jarm,
  })
  return { ...told, presented: Object.keys(chosen), status: response.status, answer: await response.json() }
})
