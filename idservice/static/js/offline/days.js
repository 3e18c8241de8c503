// Days as numbers since 1970-01-01; those on a Chinese licence are days of China Standard Time, wherever the reader is.
const DAY = 86_400; // seconds
const CHINA = 8 * 3_600;
export const FIRST = -719_162; // the first day of the year 1
export const LAST = 2_932_896; // the last of the year 9999

export const isDay = (day) => Number.isInteger(day) && FIRST <= day && day <= LAST;

/** Return the day it is in China at a moment in Unix seconds. */
export const chinaDay = (seconds) => Math.floor((seconds + CHINA) / DAY);

/** Return `YYYY-MM-DD`. */
export const written = (day) => new Date(day * DAY * 1_000).toISOString().slice(0, 10);

/** Return the day of `YYYY-MM-DD`; undefined for any other text. */
export function read(text) {
  const moment = typeof text === "string" && /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  const day = moment / (DAY * 1_000);
  return Number.isNaN(day) || written(day) !== text || day < FIRST ? undefined : day;
}
