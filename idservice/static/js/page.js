// Every page: wake the govuk-frontend parts (error summary focus, password toggle, drop zone, double-click guard).
import { initAll } from "../vendor/govuk-frontend/govuk-frontend.min.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();
