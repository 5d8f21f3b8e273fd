// What pages can do besides: copy, unmask, filter while typing, take a link's secret out of the address. All of it is
// an addition: every page works without.
"use strict";

// The secret of a one-time link stands in the fragment, which no server sees. It is sent in a form and wiped from the address.
const fromFragment = document.querySelector("[data-fragment]");
if (fromFragment && location.hash.length > 1) {
  fromFragment.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  fromFragment.form.submit();
}

// A page that shows a secret once must not be shown again by a reload.
const replaced = document.querySelector("[data-replace]");
if (replaced) history.replaceState(null, "", replaced.dataset.replace);

const announce = document.createElement("p");
announce.className = "hidden";
announce.setAttribute("role", "status");
document.body.append(announce);

function button(label, describes) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "quiet";
  made.textContent = label;
  if (describes) made.setAttribute("aria-label", `${label} ${describes}`);
  return made;
}

for (const input of document.querySelectorAll("input[data-copy], pre[data-copy]")) {
  const isField = input.tagName === "INPUT";
  const name = isField ? input.labels[0].textContent.trim() : "";
  const line = document.createElement("div");
  line.className = isField ? "line" : "";
  input.replaceWith(line);
  line.append(input);
  if (input.dataset.secret !== undefined) {
    const eye = button("Show", name);
    eye.setAttribute("aria-pressed", "false");
    eye.addEventListener("click", () => {
      const masked = input.type === "password";
      input.type = masked ? "text" : "password";
      eye.textContent = masked ? "Hide" : "Show";
      eye.setAttribute("aria-label", `${eye.textContent} ${name}`);
      eye.setAttribute("aria-pressed", String(masked));
    });
    line.append(eye);
  }
  const copy = button("Copy", name);
  copy.addEventListener("click", async () => {
    const text = isField ? input.value : input.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without permission (plain HTTP off loopback): the old way, over a selection.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    copy.textContent = "Copied";
    announce.textContent = `${name} copied`;
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
  line.append(copy);
}

for (const input of document.querySelectorAll("input[data-filter]")) {
  const rows = document.querySelectorAll(`#${input.dataset.filter} tbody tr`);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
      if (!row.hidden) shown += 1;
    }
    announce.textContent = `${shown} of ${rows.length} rows`;
  });
}

// The menu under one's name closes as menus do.
const me = document.querySelector("details.me");
if (me) {
  document.addEventListener("click", (event) => { if (!me.contains(event.target)) me.open = false; });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && me.open) { me.open = false; me.querySelector("summary").focus(); }
  });
}

// What is wrong with a form is read first.
document.querySelector(".refused")?.focus();
