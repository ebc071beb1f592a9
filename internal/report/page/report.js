// The page works without this script, which adds the filters and the choice of theme.
(function () {
  "use strict";

  // The theme, before anything is drawn. If it cannot be stored, it lasts as long as
  // the page.
  var root = document.documentElement;
  function stored() {
    try { return localStorage.getItem("registry-janitor-theme"); } catch (e) { return null; }
  }
  function store(theme) {
    try { localStorage.setItem("registry-janitor-theme", theme); } catch (e) { /* not remembered */ }
  }
  var chosen = stored();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;

  function themeButton() {
    var button = document.getElementById("theme");
    var system = matchMedia("(prefers-color-scheme: dark)");
    function dark() { return root.dataset.theme ? root.dataset.theme === "dark" : system.matches; }
    function show() { button.setAttribute("aria-pressed", String(dark())); }
    button.addEventListener("click", function () {
      root.dataset.theme = dark() ? "light" : "dark";
      store(root.dataset.theme);
      show();
    });
    system.addEventListener("change", show);
    show();
    button.hidden = false;
  }

  // Filters work on lists of sets of rows. A set has the region, namespace, action,
  // guard and rules of all its rows, so most of the work is per set. Boxes contain
  // sets: they are hidden with their last row.
  function readLists() {
    return Array.from(document.querySelectorAll("[data-list]"), function (el) {
      var list = { el: el, name: el.dataset.list, tally: el.querySelector(".tally"), none: el.querySelector(".none"), boxes: [], total: 0 };
      var boxes = new Map();
      el.querySelectorAll(".box").forEach(function (box) {
        var b = { el: box, shown: 0, opened: false };
        boxes.set(box, b);
        list.boxes.push(b);
      });
      list.sets = Array.from(el.querySelectorAll(".set"), function (set) { return readSet(set, boxes, list); });
      list.tallied = list.tally.textContent;
      return list;
    });
  }

  function readSet(el, boxes, list) {
    var d = el.dataset;
    var set = {
      el: el, region: d.region || "", ns: d.ns || "", action: d.action || "", guard: d.guard || "",
      rules: d.rules ? d.rules.split(" ") : [], boxes: [], rows: [], lists: []
    };
    var why = el.querySelector(".why");
    var finding = el.closest(".finding");
    set.text = ((d.ref || "") + " " + (why ? why.textContent : "") + " " + (finding ? finding.querySelector("h3").textContent : "")).toLowerCase();
    for (var up = el.parentElement; up && up !== list.el; up = up.parentElement) {
      if (boxes.has(up)) set.boxes.push(boxes.get(up));
    }
    el.querySelectorAll("ul").forEach(function (ul) {
      var mine = { el: ul, shown: 0, hidden: false };
      set.lists.push(mine);
      for (var li = ul.firstElementChild; li; li = li.nextElementSibling) {
        set.rows.push({ el: li, list: mine, text: li.textContent.toLowerCase(), hidden: false });
      }
    });
    list.total += set.rows.length;
    return set;
  }

  function hide(thing, hidden) {
    if (thing.hidden === hidden) return;
    thing.hidden = hidden;
    thing.el.hidden = hidden;
  }

  // A set is shown if what its rows share matches, and a row if it has the words that
  // the set does not have.
  function filterSet(set, f) {
    var fits = (!f.region || set.region === f.region) && (!f.ns || set.ns === f.ns) &&
      (!f.action || set.action === f.action) && (!f.guard || set.guard === f.guard) &&
      (!f.rule || set.rules.indexOf(f.rule) >= 0);
    if (!fits) {
      set.el.hidden = true;
      return 0;
    }
    var words = f.words.filter(function (w) { return set.text.indexOf(w) < 0; });
    var shown = 0;
    set.lists.forEach(function (l) { l.shown = 0; });
    set.rows.forEach(function (row) {
      var match = words.every(function (w) { return row.text.indexOf(w) >= 0; });
      hide(row, !match);
      if (match) { shown++; row.list.shown++; }
    });
    set.lists.forEach(function (l) { hide(l, l.shown === 0); });
    set.el.hidden = shown === 0;
    return shown;
  }

  // A filter closes what it opened, but not what the reader opened.
  function toggle(box, active, open) {
    box.el.hidden = active && box.shown === 0;
    if (box.el.tagName !== "DETAILS") return;
    if (active && open && box.shown > 0) {
      if (!box.el.open) { box.el.open = true; box.opened = true; }
    } else if (box.opened) {
      box.el.open = false;
      box.opened = false;
    }
  }

  var number = new Intl.NumberFormat("en-US");
  function filterList(list, f) {
    list.boxes.forEach(function (b) { b.shown = 0; });
    list.shown = 0;
    list.sets.forEach(function (set) {
      var shown = filterSet(set, f);
      list.shown += shown;
      set.boxes.forEach(function (b) { b.shown += shown; });
    });
    list.boxes.forEach(function (b) { toggle(b, f.active, f.words.length > 0 || list.shown <= 400); });
    list.tally.textContent = f.active ? number.format(list.shown) + " of " + list.tallied : list.tallied;
    list.none.hidden = !f.active || list.shown > 0 || list.total === 0;
  }

  // What keeps the tags that match: "retention/releases", "no rule marks it".
  function keepers(list) {
    var seen = new Set();
    list.sets.forEach(function (set) {
      if (set.el.hidden || seen.size > 4) return;
      var rules = Array.from(set.el.querySelectorAll(".rule"), function (r) { return r.textContent; });
      var title = set.el.querySelector(".why strong").textContent;
      seen.add(rules.length ? "by " + rules.join(" and ") : title.replace(/^.*?(: |, )/, ""));
    });
    var all = Array.from(seen);
    return (all.length > 4 ? all.slice(0, 4).concat("and other reasons") : all).join("; ");
  }

  // A search for what is kept is answered with what keeps it. If the page does not list
  // what is kept, a daemon can be asked.
  function answer(lists, f) {
    var kept = lists.find(function (l) { return l.name === "kept"; });
    var others = lists.filter(function (l) { return l !== kept; });
    var found = others.some(function (l) { return l.shown > 0; });
    if (!kept || !f.words.length) return;
    var unlisted = kept.el.hasAttribute("data-unlisted");
    others.concat(kept).forEach(function (l) { l.none.textContent = "Nothing here matches the filters."; });
    if (kept.shown > 0) {
      others[0].none.textContent = "Not deleted: " + number.format(kept.shown) + " that match" + (kept.shown === 1 ? "es is" : " are") + " kept " + keepers(kept) + ".";
      others.slice(1).forEach(function (l) { l.none.hidden = true; });
    } else if (unlisted && !found) {
      others[0].none.textContent = "Nothing that this page lists matches, and it does not list what is kept. ";
      others.slice(1).forEach(function (l) { l.none.hidden = true; });
      if (!document.querySelector("form.ask")) others[0].none.append("Run registry-janitor explain with the reference.");
      else if (/\/|^sha256:/.test(f.text)) others[0].none.append(askButton(f.text));
      else others[0].none.append("Search for a whole reference to ask about it.");
    }
  }

  function askButton(text) {
    var button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Explain “" + text + "”";
    button.addEventListener("click", function () {
      document.dispatchEvent(new CustomEvent("page:ask", { detail: text }));
    });
    return button;
  }

  function filters(form) {
    var fields = form.elements;
    var names = ["text", "region", "ns", "rule", "action", "guard"];
    var status = form.querySelector(".status");
    var lists = null;

    function read() {
      var f = { text: fields.namedItem("text").value.trim(), words: fields.namedItem("text").value.toLowerCase().split(/\s+/).filter(Boolean), active: false };
      names.slice(1).forEach(function (n) { f[n] = fields.namedItem(n).value; });
      f.active = f.words.length > 0 || names.slice(1).some(function (n) { return f[n] !== ""; });
      return f;
    }
    function say(f) {
      if (!f.active) return "Everything is shown.";
      return "Shown: " + lists.filter(function (l) { return l.total > 0; }).map(function (l) {
        return number.format(l.shown) + " of " + number.format(l.total) + " " + l.name;
      }).join(", ") + ".";
    }
    function apply() {
      lists = lists || readLists();
      var f = read();
      lists.forEach(function (l) { filterList(l, f); });
      answer(lists, f);
      status.textContent = say(f);
      save(f);
    }
    // The address has the filters, so that a link to the filtered page can be sent.
    function save(f) {
      var query = new URLSearchParams();
      names.forEach(function (n) {
        var field = fields.namedItem(n);
        if (field.value) query.set(n, n === "rule" ? field.selectedOptions[0].text : field.value);
      });
      try {
        if (f.active) history.replaceState(null, "", "#?" + query);
        else if (location.hash.startsWith("#?")) history.replaceState(null, "", location.pathname + location.search);
      } catch (e) { /* not allowed in a frame */ }
    }
    function restore() {
      if (!location.hash.startsWith("#?")) return false;
      var query = new URLSearchParams(location.hash.slice(2));
      names.forEach(function (n) {
        var field = fields.namedItem(n), value = query.get(n);
        if (value === null) return;
        if (n === "text") field.value = value;
        else Array.from(field.options).forEach(function (o) {
          if ((n === "rule" ? o.text : o.value) === value) field.value = o.value;
        });
      });
      return true;
    }

    var timer = 0;
    form.addEventListener("input", function (event) {
      clearTimeout(timer);
      timer = setTimeout(apply, event.target.name === "text" ? 120 : 0);
    });
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      clearTimeout(timer);
      apply();
    });
    form.addEventListener("reset", function () {
      clearTimeout(timer);
      timer = setTimeout(apply, 0);
    });
    form.hidden = false;
    if (restore()) apply();
    else (window.requestIdleCallback || setTimeout)(function () { lists = lists || readLists(); });
  }

  function openAll(button) {
    var section = button.closest("section");
    button.hidden = false;
    button.addEventListener("click", function () {
      var all = Array.from(section.querySelectorAll("details.obj"));
      var open = all.some(function (d) { return !d.open && !d.hidden; });
      all.forEach(function (d) { d.open = open; });
      button.textContent = open ? "Close all" : "Open all";
    });
  }

  // A printed page shows everything. Printing closes what it opened.
  function printing() {
    var opened = [];
    addEventListener("beforeprint", function () {
      opened = Array.from(document.querySelectorAll("details.obj:not([open]), details.more:not([open])"));
      opened.forEach(function (d) { d.open = true; });
    });
    addEventListener("afterprint", function () {
      opened.forEach(function (d) { d.open = false; });
      opened = [];
    });
  }

  // A click on a digest, or on the button beside it, copies all of it.
  function copying() {
    document.addEventListener("click", function (event) {
      var of = event.target.closest(".copy, .rows:not(.pairs) li code, .digest");
      if (!of || String(getSelection())) return;
      var code = of.matches(".copy") ? of.previousElementSibling : of;
      copy(code.textContent).then(function () {
        of.classList.add("copied");
        setTimeout(function () { of.classList.remove("copied"); }, 1200);
      }, function () { getSelection().selectAllChildren(code); });
    });
  }
  function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    return Promise.reject(new Error("this browser copies only from pages with TLS"));
  }

  function start() {
    var form = document.querySelector("form.filters");
    if (form) filters(form);
    document.querySelectorAll(".open-all").forEach(openAll);
    document.querySelectorAll(".copy").forEach(function (b) { b.hidden = false; });
  }
  document.addEventListener("DOMContentLoaded", function () {
    themeButton();
    copying();
    printing();
    start();
  });
  document.addEventListener("page:shown", start);
})();
