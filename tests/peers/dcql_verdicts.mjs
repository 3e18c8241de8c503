// What the `dcql` package says of queries, and of presentations given for them.
//
// In: a list of { query, presented } (presented: { id: [presentation] } or null). Out: as many of
// { parsed, satisfied } where satisfied is null for a query that is refused or comes without presentations.

import { DcqlPresentationResult, DcqlQuery } from 'dcql'
import { answer } from './wire.mjs'

function verdict({ query, presented }) {
  let parsed
  try {
    parsed = DcqlQuery.parse(query)
    DcqlQuery.validate(parsed)
  } catch {
    return { parsed: false, satisfied: null }
  }
  if (!presented) return { parsed: true, satisfied: null }
  try {
    const result = DcqlPresentationResult.fromDcqlPresentation(presented, { dcqlQuery: parsed })
    return { parsed: true, satisfied: result.can_be_satisfied }
  } catch {
    return { parsed: true, satisfied: false }
  }
}

await answer((cases) => cases.map(verdict))
