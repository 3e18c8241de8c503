// The camera of the scan page. Where the browser reads codes itself, the code is found as it is held up; elsewhere the
// clerk presses the shutter and the server reads the picture, as it reads one that is uploaded.
const LOOK_MS = 200;
const part = (name) => document.querySelector(`[data-camera-${name}]`);
const camera = document.querySelector("[data-camera]");
const [open, shut, shutter, video, failed] = ["open", "shut", "shutter", "video", "failed"].map(part);
const form = document.querySelector("[data-scan]");
let stream = null;

async function detector() {
  if (!("BarcodeDetector" in window)) return null;
  const formats = await window.BarcodeDetector.getSupportedFormats();
  return formats.includes("qr_code") ? new window.BarcodeDetector({ formats: ["qr_code"] }) : null;
}

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  for (const element of [video, shut, shutter]) element.hidden = true;
  open.hidden = false;
}

async function watch(reader) {
  if (!stream) return;
  const [found] = await reader.detect(video);
  if (!stream) return;
  if (!found) {
    window.setTimeout(() => watch(reader).catch(stop), LOOK_MS);
    return;
  }
  stop();
  form.querySelector("#text").value = found.rawValue;
  form.requestSubmit();
}

async function start() {
  failed.hidden = true;
  stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  video.srcObject = stream;
  open.hidden = true;
  video.hidden = shut.hidden = false;
  await video.play();
  const reader = await detector();
  if (reader) await watch(reader);
  else shutter.hidden = false;
}

function photograph() {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((picture) => {
    const files = new DataTransfer();
    files.items.add(new File([picture], "camera.png", { type: "image/png" }));
    stop();
    form.querySelector("#text").value = "";
    form.querySelector("input[name=file]").files = files.files;
    form.requestSubmit();
  }, "image/png");
}

if (navigator.mediaDevices?.getUserMedia) {
  camera.hidden = false;
  open.addEventListener("click", () => start().catch(() => { stop(); failed.hidden = false; }));
  shut.addEventListener("click", stop);
  shutter.addEventListener("click", photograph);
}
