// The page of a daemon works without this script, which keeps it up to date and
// answers questions in place.
(function () {
  "use strict";

  function swap(old, fresh) {
    if (old && fresh && old.outerHTML !== fresh.outerHTML) old.replaceWith(document.importNode(fresh, true));
  }
  function parse(text) { return new DOMParser().parseFromString(text, "text/html"); }
  function main() { return document.getElementById("main"); }

  // What the reader has opened, written or asked stays when the page is shown again.
  // The filters are in the address.
  function title(details) {
    var section = details.closest("section[id]");
    return (section ? section.id : "") + " " + Array.from(details.querySelectorAll(":scope > summary")).map(function (s) {
      var above = details.parentElement.querySelector(":scope > h3");
      return (above ? above.textContent : "") + (s.querySelector(".title") || s).textContent;
    });
  }
  function opened(of) {
    return new Set(Array.from(of.querySelectorAll("details[open]"), title));
  }
  function keepFocus(fresh) {
    var field = document.activeElement;
    if (!field || !field.form || !field.form.classList.contains("filters")) return function () {};
    var name = field.name, from = field.selectionStart, to = field.selectionEnd;
    return function () {
      var again = fresh.querySelector("form.filters [name=" + name + "]");
      if (!again) return;
      again.focus({ preventScroll: true });
      if (from !== undefined && from !== null) again.setSelectionRange(from, to);
    };
  }
  function show(text) {
    var fresh = parse(text).getElementById("main"), old = main();
    if (!fresh) return;
    fresh = document.importNode(fresh, true);
    var open = opened(old), focus = keepFocus(fresh), words = old.querySelector("form.filters [name=text]");
    ["#explain", ".danger"].forEach(function (s) {
      var mine = old.querySelector(s), theirs = fresh.querySelector(s);
      if (mine && theirs) theirs.replaceWith(mine);
    });
    fresh.querySelectorAll("details").forEach(function (d) { d.open = open.has(title(d)); });
    var again = fresh.querySelector("form.filters [name=text]");
    if (words && again) again.value = words.value;
    document.title = parse(text).title;
    old.replaceWith(fresh);
    document.dispatchEvent(new CustomEvent("page:shown"));
    focus();
  }

  var fetched = 0, fetching = false;
  function refresh() {
    if (fetching) return;
    fetching = true;
    fetch("/", { cache: "no-store" }).then(function (answer) {
      return answer.ok ? answer.text() : Promise.reject(new Error(answer.statusText));
    }).then(show).catch(function () { /* the next event tries again */ }).finally(function () {
      fetching = false;
      fetched = performance.now();
    });
  }

  // The daemon sends what changes all the time, and the number of changes that need the
  // whole page. Another daemon's runs are only seen by looking.
  function update(event) {
    var fresh = parse(event.data);
    ["running", "clock", "plan-now"].forEach(function (id) {
      swap(document.getElementById(id), fresh.getElementById(id));
    });
    var wait = document.getElementById("clock").hasAttribute("data-standby") ? 60e3 : 600e3;
    if (main().dataset.changes !== event.lastEventId || performance.now() - fetched > wait) refresh();
  }

  var source = null;
  function listen() {
    if (document.hidden) {
      if (source) source.close();
      source = null;
    } else if (!source) {
      source = new EventSource("/api/v1/events");
      source.addEventListener("message", update);
    }
  }

  // ask sends the form of a question, and shows the answer below it.
  function ask(form) {
    var answer = form.parentElement.querySelector(".answer"), button = form.querySelector("button");
    answer.hidden = false;
    answer.textContent = "Reading the registry…";
    button.disabled = true;
    fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).then(function (reply) {
      return reply.json();
    }).then(function (reply) {
      answer.textContent = reply.error || [reply].concat(reply.tags || []).map(function (e) { return e.text; }).filter(Boolean).join("\n");
    }).catch(function (error) {
      answer.textContent = "The daemon did not answer: " + error.message;
    }).finally(function () { button.disabled = false; });
  }

  document.addEventListener("submit", function (event) {
    if (!event.target.matches("form.ask")) return;
    event.preventDefault();
    ask(event.target);
  });
  // A search that finds nothing becomes a question.
  document.addEventListener("page:ask", function (event) {
    var form = document.querySelector("form.ask");
    form.elements.namedItem("ref").value = event.detail;
    form.scrollIntoView({ block: "center" });
    ask(form);
  });
  document.addEventListener("DOMContentLoaded", function () {
    if (main().dataset.changes === undefined) return;
    fetched = performance.now();
    document.addEventListener("visibilitychange", listen);
    listen();
  });
})();
