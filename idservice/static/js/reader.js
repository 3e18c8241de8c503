// Reads QR codes in the browser: by the browser's own reader where it has one, else by zxing-wasm, which is loaded when it
// is first needed. Whoever uses it on a page allows WebAssembly there (`idservice/http/headers.py`).
const LONGEST = 2_400; // pixels: a telephone's picture has more than a code needs
const WASM = new URL("../vendor/zxing-wasm/reader/zxing_reader.wasm", import.meta.url).href;
let made;

/** Return a function that reads a video or picture: the text of a code in it, or null. */
export const qrReader = () => (made ??= make());

async function make() {
  const formats = "BarcodeDetector" in window ? await window.BarcodeDetector.getSupportedFormats() : [];
  if (!formats.includes("qr_code")) return withZxing();
  const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
  return async (source) => (await detector.detect(source))[0]?.rawValue ?? null;
}

async function withZxing() {
  const { prepareZXingModule, readBarcodes } = await import("../vendor/zxing-wasm/reader/index.js");
  await prepareZXingModule({ overrides: { locateFile: () => WASM }, fireImmediately: true });
  const options = { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 1 };
  return async (source) => (await readBarcodes(pixels(source), options))[0]?.text ?? null;
}

function pixels(source) {
  const [width, height] = [source.videoWidth ?? source.width, source.videoHeight ?? source.height];
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff"; // behind a picture without a ground of its own
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** Return the text of the code in a picture file; null where there is none, or the file is no picture. */
export async function readPicture(file) {
  const picture = await createImageBitmap(file).catch(() => null);
  return picture && (await qrReader())(picture);
}
