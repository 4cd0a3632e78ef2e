// What the page does better with a script: it remembers the language, and copies.
"use strict";

const languages = document.querySelectorAll(".tabs > input");

function choose(language) {
  for (const input of languages) {
    if (input.value === language) input.checked = true;
  }
}

for (const input of languages) {
  input.addEventListener("change", () => {
    const top = input.getBoundingClientRect().top;
    choose(input.value);
    scrollBy(0, input.getBoundingClientRect().top - top); // what is being read stays where it is
    try {
      localStorage.setItem("language", input.value);
    } catch {} // a browser that keeps nothing
  });
}

try {
  choose(localStorage.getItem("language"));
} catch {}

if (navigator.clipboard) {
  for (const tabs of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const shown = [...tabs.querySelectorAll(".tab")].find((tab) => tab.offsetParent);
      await navigator.clipboard.writeText(shown.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    tabs.append(button);
  }
}
