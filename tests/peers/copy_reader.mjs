// A reader by @sd-jwt/sd-jwt-vc: it knows the root for documents, fetches the status list itself, and believes nobody else.
//
// Question: {root: base64 DER, credentials: [text]}; answer: for each {claims} or {error}.

import { createHash, verify, X509Certificate } from 'node:crypto'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { answer } from './wire.mjs'

const headerOf = (data) => JSON.parse(Buffer.from(data.split('.')[0], 'base64url'))

function verifierFor(root) {
  const anchor = new X509Certificate(Buffer.from(root, 'base64'))
  return (certificates) => async (data, signature) => {
    const { x5c } = headerOf(data)
    const leaf = new X509Certificate(Buffer.from((x5c ?? certificates)[0], 'base64'))
    if (!leaf.checkIssued(anchor) || !leaf.verify(anchor.publicKey)) throw new Error('not issued under the root')
    const key = { key: leaf.publicKey, dsaEncoding: 'ieee-p1363' }
    return verify('sha256', Buffer.from(data), key, Buffer.from(signature, 'base64url'))
  }
}

async function read(credential, verifier) {
  const { x5c } = headerOf(credential)
  const instance = new SDJwtVcInstance({
    hasher: (data, algorithm) => createHash(algorithm.replace('-', '')).update(data).digest(),
    hashAlg: 'sha-256',
    verifier: verifier(),
    statusVerifier: verifier(x5c), // the lists are signed by the key of the credentials
  })
  try {
    const { payload } = await instance.verify(credential)
    return { claims: payload }
  } catch (error) {
    return { error: error.message }
  }
}

await answer(async ({ root, credentials }) => {
  const verifier = verifierFor(root)
  return Promise.all(credentials.map((credential) => read(credential, verifier)))
})
