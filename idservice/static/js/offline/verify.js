// Verify a credential or a paper code without a network, as `licences/offline/verify.py` does: same checks, same results,
// same reasons, no clock of its own. A test compares the two over thousands of codes.
import * as days from "./days.js";
import * as deviceCode from "./device_code_reader.js";
import * as lc1 from "./lc1.js";
import * as lc1Text from "./lc1_text.js";
import * as sdjwt from "./sdjwt.js";
import { readJwt, SIZE } from "./status_list.js";
import { LICENCE, LICENCE_SM2 } from "./trust.js";
import { hex } from "./bytes.js";
import * as cose from "./cose.js";

export const OLD = 24 * 3600; // seconds after which a list's age is worth a notice
const MAX_TEXT = 65_536;
const CLOCKS = 300; // seconds by which clocks may differ

const VERDICTS = [
  { state: "valid", result: "ok", detail: "" },
  { state: "revoked", result: "fail", detail: "it has ended", reason: "revoked" },
  { state: "suspended", result: "fail", detail: "", reason: "suspended" },
];

/** What can be judged here, in the order tried: how a text of it begins, and who judges. */
const FORMS = [
  { scanned: "credential", isOne: (text) => text.startsWith("eyJ") && text.includes("~"), judge: credential },
  { scanned: "paper", isOne: lc1Text.looksLike, judge: paper },
  { scanned: "device_code", isOne: deviceCode.looksLike, judge: ofDevice },
];

/** Tell whether a text can be judged without the register. */
export const canJudge = (text) => FORMS.some((form) => form.isOne(lc1Text.stripped(text)));

/** Take further lists (JWT) to those of a bundle; of one address the newest counts, in doubt the one given. */
export async function rely(bundle, tokens = []) {
  const lists = new Map(bundle.lists);
  for (const token of tokens) {
    const read = await readJwt(token.trim(), bundle.keys[LICENCE]);
    const held = lists.get(read.uri);
    if (!held || held.issuedAt <= read.issuedAt) lists.set(read.uri, read);
  }
  return { bundle, lists };
}

/**
 * Judge a text as scanned. The report has the shape of `POST /v1/verifications`, and `ages` in seconds.
 * @param {string} text
 * @param {{bundle: object, lists: Map<string, object>}} relied
 * @param {number} now Unix seconds
 * @param {string} [unit] the verifier's own credit code, to be told whether a device's code was made for another
 */
export async function verify(text, relied, now, unit) {
  const bare = lc1Text.stripped(text);
  if (!bare || bare.length > MAX_TEXT) return new Report("unknown").add("format", "fail", "nothing legible was found", "unreadable").asJson();
  const form = FORMS.find(({ isOne }) => isOne(bare));
  const detail = "neither a credential, a paper code nor a device's code: others need the register";
  if (!form) return new Report("unknown").add("format", "fail", detail, "format_unknown").asJson();
  const report = new Report(form.scanned);
  await form.judge(report, bare, relied, now, unit);
  checkBundle(report, relied.bundle, now);
  return report.asJson();
}

class Report {
  constructor(scanned) {
    Object.assign(this, { scanned, checks: [], reasons: [], licence: null, state: null, ages: {} });
  }

  add(name, result, detail = "", reason = undefined) {
    this.checks.push(detail ? { name, result, detail } : { name, result });
    if (reason && !this.reasons.includes(reason)) this.reasons.push(reason);
    return this;
  }

  asJson() {
    const ok = !this.reasons.length && this.checks.every(({ result }) => result === "ok" || result === "notice");
    const { state, reasons, checks, scanned, licence, ages } = this;
    return { ok, state, reasons, checks, scanned, ...(licence ? { licence } : {}), ages };
  }
}

async function credential(report, text, relied, now) {
  const { bundle } = relied;
  let claims;
  try {
    claims = await sdjwt.authenticate(text, bundle.keys[LICENCE], bundle.issuer);
  } catch (error) {
    const isRevoked = error.code === "unknown_key" && bundle.revoked.has(sdjwt.namedKid(text));
    report.add("credential", "fail", error.code, isRevoked ? "key_revoked" : sdjwt.reasonOf(error.code));
    return;
  }
  const { status, ...licence } = claims;
  const [begins, until] = [days.read(claims.valid_from), claims.valid_until ? days.read(claims.valid_until) : null];
  const pointer = status?.status_list;
  const isPlace = typeof pointer?.uri === "string" && Number.isInteger(pointer.idx);
  if (begins === undefined || until === undefined || claims.valid_until === undefined || ("status" in claims && !isPlace)) {
    report.add("credential", "fail", "not one of ours", "format_unknown");
    return;
  }
  report.add("credential", "ok");
  addOfCopy(report, claims, now);
  report.licence = licence;
  judge(report, relied, now, { place: pointer ?? null, begins, until, issuedAt: claims.iat ?? 0 });
}

// What a wallet's copy lacks: it ends before its licence, and holds for nobody but who proves its key.
function addOfCopy(report, { exp, nbf, cnf }, now) {
  if (exp !== undefined && now >= exp) report.add("copy_period", "fail", "the copy has run out", "expired");
  else if (nbf !== undefined && now + CLOCKS < nbf) report.add("copy_period", "fail", "the copy does not hold yet", "not_yet_valid");
  if (cnf === undefined) return;
  report.add("holder_binding", "not_checked", "whoever has seen the copy could show it: ask the holder's wallet", "holder_unproven");
}

async function paper(report, text, relied, now) {
  const { bundle } = relied;
  const dictionary = bundle.dictionaries.get("D1");
  if (dictionary?.digest !== lc1.DICTIONARY_SHA256) {
    report.add("credential", "fail", "no dictionary D1", "dictionary_unknown");
    return;
  }
  let scanned, said;
  try {
    scanned = lc1Text.read(text);
    const keys = [...bundle.keys[LICENCE].values(), ...bundle.keys[LICENCE_SM2].values()];
    said = await lc1.authenticate(scanned.content, keys, dictionary.bytes);
  } catch (error) {
    const isRevoked = error.code === "unknown_key" && wasRevoked(scanned.content, bundle);
    report.add("credential", "fail", error.code, isRevoked ? "key_revoked" : lc1.reasonOf(error.code));
    return;
  }
  const isStrange = scanned.host !== null && scanned.host !== new URL(bundle.issuer).host;
  report.add("credential", isStrange ? "notice" : "ok", isStrange ? "its address leads to another site" : "");
  report.licence = face(said, bundle);
  if (!("licence_type" in report.licence)) report.add("template", "notice", "a template this bundle does not know");
  const until = said.expiresAt === null ? null : days.chinaDay(said.expiresAt) - 1;
  if (until !== null && (!days.isDay(until) || !days.isDay(until + 1))) {
    report.add("state", "fail", "its end is no date", "format_unknown");
    return;
  }
  report.licence.valid_until = until === null ? "" : days.written(until);
  const place = said.status === null ? null : placeOf(bundle.issuer, said.status);
  judge(report, relied, now, { place, begins: said.validFrom, until, issuedAt: said.issuedAt });
}

async function ofDevice(report, text, relied, now, unit) {
  const { bundle } = relied;
  let code;
  try {
    code = await deviceCode.authenticate(text, [...bundle.keys[LICENCE].values()]);
  } catch (error) {
    const isRevoked = error.code === "unknown_key" && wasRevoked(deviceCode.credentialOf(text), bundle);
    report.add("credential", "fail", error.code, isRevoked ? "key_revoked" : deviceCode.reasonOf(error.code));
    return;
  }
  report.add("credential", "ok");
  const age = Math.trunc(now - code.madeAt);
  const reason = deviceCode.judgeTime(code, now);
  if (reason === "clock_wrong") report.add("code", "not_checked", `made ${-age} s from now`, reason);
  else if (reason) report.add("code", "fail", `made ${age} s ago`, reason);
  else report.add("code", "notice", `made ${age} s ago; whether it was scanned before only the service knows`);
  if (!(await deviceCode.isFor(code, unit))) report.add("audience", unit ? "fail" : "not_checked", "made for one unit alone", "wrong_audience");
  const template = bundle.templates.get(hex(code.template));
  report.licence = {
    ...(template ? { licence_type: template.type, licence_name: template.name } : {}),
    holder_name: [code.holderName],
    holder_number: [`***${code.numberTail}`],
    valid_until: code.until === null ? "" : days.written(code.until),
    made_at: code.madeAt,
  };
  judge(report, relied, now, { place: placeOf(bundle.issuer, code.place), begins: days.FIRST, until: code.until, issuedAt: 0 });
}

// What clock, dates and lists say about a licence that is genuine.
function judge(report, relied, now, { place, begins, until, issuedAt }) {
  if (issuedAt > now + CLOCKS) report.add("clock", "not_checked", "issued in the future", "clock_wrong");
  const [status, state] = statusOf(report, relied, now, place);
  const today = days.chinaDay(now);
  const date = until !== null && today > until ? "expired" : today < begins ? "not_yet_valid" : undefined;
  report.add("state", date ? "fail" : "ok", "", date);
  report.add(...status);
  report.state = state === "valid" && date ? date : state;
}

// What the list says, as a check, and the state that follows.
function statusOf(report, relied, now, place) {
  const list = place && relied.lists.get(place.uri);
  if (!list) {
    const detail = place ? "its list is not at hand" : "it names no list: ask online";
    return [["status", "not_checked", detail, "status_stale"], "valid"];
  }
  const age = Math.floor(now) - list.issuedAt;
  report.ages[list.uri] = age;
  let verdict;
  try {
    verdict = VERDICTS[list.status(place.idx)];
  } catch {
    verdict = undefined;
  }
  if (!verdict) return [["status", "not_checked", "no such place", "format_unknown"], "valid"];
  return [aged(verdict, age, now >= list.expiresAt), verdict.state];
}

// What a list of that age is worth; that a licence has ended stays true, however old the list is.
function aged({ result, detail, reason }, age, isOver) {
  if (reason === "revoked") return ["status", result, detail, reason];
  if (age < -CLOCKS) return ["status", "not_checked", "the list is of the future", "clock_wrong"];
  const old = `the list is ${hours(age)} old`;
  if (isOver) return ["status", "not_checked", old, "status_stale"];
  return ["status", result === "ok" && age > OLD ? "notice" : result, old, reason];
}

// Whether what is relied on may be: its age and its end. Its key was compared with a pin, else it were not here.
function checkBundle(report, bundle, now) {
  const age = Math.floor(now) - bundle.issuedAt;
  report.ages.bundle = age;
  if (age < -CLOCKS) report.add("bundle", "not_checked", "signed in the future", "clock_wrong");
  else if (now >= bundle.expiresAt) report.add("bundle", "not_checked", `it is ${hours(age)} old`, "status_stale");
  else report.add("bundle", "ok");
}

function placeOf(issuer, place) {
  const size = BigInt(SIZE);
  return { uri: `${issuer}/status/${place / size}`, idx: Number(place % size) };
}

function wasRevoked(content, bundle) {
  const short = hex(cose.read(content).kid);
  return [...bundle.revoked].some((kid) => kid.startsWith(short));
}

// What a code says, its fields named where the bundle knows the template.
function face(said, bundle) {
  const found = {
    licence_number: said.number,
    issuing_authority: { name: said.issuer },
    holder_name: [said.holderName],
    holder_number: [said.holderNumber],
    valid_from: days.written(said.validFrom),
  };
  const template = bundle.templates.get(hex(said.template));
  if (!template || template.fields.length !== said.values.length) return found;
  const shown = template.fields.map(({ name, type }, place) => [`face_${name}`, shownAs(said.values[place], type)]);
  return { licence_type: template.type, licence_name: template.name, ...found, ...Object.fromEntries(shown) };
}

// A day is its number in the code, and digits alone are an integer.
function shownAs(value, type) {
  if (typeof value !== "number" && typeof value !== "bigint") return value;
  if (type === "date") return days.isDay(value) ? days.written(value) : String(value);
  return typeof value === "bigint" || type === "string" ? String(value) : value;
}

const hours = (seconds) => (seconds >= 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(Math.max(0, seconds) / 60)} min`);
