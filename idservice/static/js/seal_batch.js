// A batch that was confirmed goes on by itself; without this script the button "continue" does.
document.querySelector("[data-seal-batch]")?.requestSubmit();
