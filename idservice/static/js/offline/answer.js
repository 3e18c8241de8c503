// Draws what was found, out of the parts that the server put into the page in the reader's language.
import * as days from "./days.js";

const WORST_FIRST = ["bad", "warn", "unknown"];
const part = (selector) => document.querySelector("template[data-offline-parts]").content.querySelector(selector);
const word = (key) => part(`[data-word="${key}"]`)?.textContent;
const copy = (selector) => part(selector).firstElementChild.cloneNode(true);
const toneOf = (code) => WORST_FIRST.find((tone) => part(`[data-band="${code}"] .ona-band--${tone}`));

/** Return the section that says what a report found. `basis` is the sentence on what it rests. */
export function drawn(report, templates, basis) {
  const section = document.createElement("section");
  section.className = "ona-sheet ona-sheet--result";
  section.setAttribute("aria-label", word("result"));
  section.append(copy(`[data-band="${leading(report) ?? "ok"}"]`), basis);
  if (report.licence) section.append(facts(report.licence, templates));
  const heading = document.createElement("h3");
  heading.className = "govuk-heading-s";
  heading.textContent = word("steps");
  section.append(heading, checks(report.checks));
  return section;
}

// The reason the band speaks of: the first that gives the worst tone.
const leading = ({ reasons }) =>
  WORST_FIRST.map((tone) => reasons.find((code) => toneOf(code) === tone)).find((code) => code) ?? reasons[0];

function checks(made) {
  const list = document.createElement("ul");
  list.className = "ona-checks";
  for (const { name, result } of made) {
    const row = part(`[data-row="${result}"] li`).cloneNode(true);
    row.querySelector(".ona-check__name strong").textContent = word(`check.${name}`) ?? name;
    row.querySelector(".ona-check__name span").textContent = word(`question.${name}`) ?? "";
    list.append(row);
  }
  return list;
}

function facts(licence, templates) {
  const isEnglish = document.documentElement.lang === "en";
  const known = [...templates.values()].filter(({ type }) => type === licence.licence_type);
  const titles = new Map(known.flatMap(({ fields }) => fields).map((field) => [`face_${field.name}`, (isEnglish && field.titleEn) || field.title]));
  const name = (isEnglish && known[0]?.nameEn) || licence.licence_name;
  const list = document.createElement("dl");
  list.className = "ona-facts";
  add(list, word("fact.name"), name);
  add(list, word("fact.holder"), licence.holder_name);
  add(list, word("fact.number"), licence.holder_number);
  add(list, word("fact.issuer"), licence.issuing_authority?.name);
  const period = [licence.valid_from, licence.valid_until || word("forever")];
  add(list, word("fact.period"), period.filter(Boolean).map(shown).join(" — "));
  for (const [claim, value] of Object.entries(licence)) {
    if (claim.startsWith("face_")) add(list, titles.get(claim) ?? claim.slice("face_".length), value);
  }
  add(list, word("fact.licence"), licence.licence_number);
  return list;
}

function add(list, title, value) {
  const text = shown(value);
  if (!text) return;
  const row = document.createElement("div");
  for (const [tag, content] of [["dt", title], ["dd", text]]) {
    const cell = document.createElement(tag);
    cell.textContent = content;
    row.append(cell);
  }
  row.lastElementChild.className = "ona-break";
  list.append(row);
}

function shown(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return word(value ? "yes" : "no");
  if (Array.isArray(value)) return value.map(shown).join(word("comma"));
  if (typeof value === "object") return Object.values(value).map(shown).join(word("comma"));
  const day = days.read(value);
  if (day === undefined) return String(value);
  const long = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeZone: "UTC" });
  return long.format(new Date(`${value}T00:00:00Z`));
}
