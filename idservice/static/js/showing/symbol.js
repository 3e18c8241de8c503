// A QR code drawn in the browser: black on white, a quiet zone of four modules, alphanumeric, level M.
import { qrcode } from "../../vendor/qrcode-generator/qrcode.js";

const SVG = "http://www.w3.org/2000/svg";
const LARGEST = 12; // versions beyond are not read from a telephone's screen with certainty

/** Draw a text into an <svg>; RangeError where it takes a larger symbol. @param {SVGElement} svg @param {string} text */
export function draw(svg, text) {
  const code = qrcode(0, "M");
  code.addData(text, "Alphanumeric");
  code.make();
  const size = code.getModuleCount();
  const version = (size - 17) / 4;
  if (version > LARGEST) throw new RangeError(`a QR code of version ${version}`);
  let outline = "";
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      if (code.isDark(row, column)) outline += `M${column + 4} ${row + 4}h1v1h-1z`;
    }
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", outline);
  svg.setAttribute("viewBox", `0 0 ${size + 8} ${size + 8}`);
  svg.setAttribute("shape-rendering", "crispEdges");
  svg.dataset.version = String(version);
  svg.replaceChildren(path);
}
