// The camera of a scan page: a code is read as it is held up. Only where no reader can be loaded does the shutter send one
// picture, which the server reads as it reads one that is uploaded.
import { qrReader } from "./reader.js";

const LOOK_MS = 100;
const part = (name) => document.querySelector(`[data-camera-${name}]`);
const camera = document.querySelector("[data-camera]");
const [open, shut, shutter, video, failed] = ["open", "shut", "shutter", "video", "failed"].map(part);
const form = document.querySelector("[data-scan]");
let stream = null;

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  for (const element of [video, shut, shutter]) if (element) element.hidden = true;
  open.hidden = false;
}

async function watch(read) {
  if (!stream) return;
  const looked = performance.now();
  const found = await read(video);
  if (!stream) return;
  if (!found) {
    window.setTimeout(() => watch(read).catch(stop), LOOK_MS);
    return;
  }
  performance.mark("ona-scan", { startTime: looked });
  stop();
  form.querySelector("#text").value = found;
  form.requestSubmit();
}

async function start() {
  failed.hidden = true;
  stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  video.srcObject = stream;
  open.hidden = true;
  video.hidden = shut.hidden = false;
  await video.play();
  const read = await qrReader().catch((error) => {
    if (!shutter) throw error;
    shutter.hidden = false;
  });
  if (read) await watch(read);
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
  shutter?.addEventListener("click", photograph);
}
