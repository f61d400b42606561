"use strict";
(function () {
  var $ = function (id) { return document.getElementById(id); };
  var cases = Array.prototype.slice.call(document.querySelectorAll("article.case"));
  var form = $("filters"), query = $("q"), selects = Array.prototype.slice.call(form.querySelectorAll("select"));
  var failing = $("failing");

  function show(element) { element.hidden = false; }
  Array.prototype.forEach.call(document.querySelectorAll("button.copy, button.go"), show);
  if (cases.length) { show(form); }

  function has(element, token) { return (" " + element.getAttribute("data-f") + " ").indexOf(" " + token + " ") >= 0; }

  function apply() {
    var words = query.value.toLowerCase().trim();
    var tokens = selects.map(function (s) { return s.value; }).filter(Boolean);
    var count = { bad: 0, rest: 0, badAll: 0, restAll: 0 };
    cases.forEach(function (element) {
      var match = tokens.every(function (token) { return has(element, token); }) &&
        (!words || element.textContent.toLowerCase().indexOf(words) >= 0);
      var bad = failing.contains(element);
      element.hidden = !match;
      count[bad ? "badAll" : "restAll"] += 1;
      if (match) { count[bad ? "bad" : "rest"] += 1; }
    });
    $("shown").textContent = count.bad.toLocaleString("en") + " of " + count.badAll.toLocaleString("en") +
      " failing cases, " + count.rest.toLocaleString("en") + " of " + count.restAll.toLocaleString("en") + " others";
  }

  function save() {
    var state = selects.map(function (s) { return s.value; }).filter(Boolean);
    if (query.value) { state.push("q:" + encodeURIComponent(query.value)); }
    try { history.replaceState(null, "", state.length ? "#?" + state.join("&") : "#cases"); } catch (error) { /* not kept */ }
  }

  function change() { apply(); save(); }

  function decoded(text) {
    try { return decodeURIComponent(text); } catch (error) { return text; }
  }

  function restore(hash) {
    hash.slice(2).split("&").forEach(function (part) {
      if (part.indexOf("q:") === 0) { query.value = decoded(part.slice(2)); return; }
      selects.forEach(function (s) {
        Array.prototype.forEach.call(s.options, function (o) { if (part && o.value === part) { s.value = part; } });
      });
    });
    apply();
    $("cases").scrollIntoView();
  }

  function follow() {
    var hash = location.hash;
    if (hash.indexOf("#?") === 0) { restore(hash); return; }
    var element = hash.indexOf("#case-") === 0 ? $(hash.slice(1)) : null;
    if (!element) { return; }
    element.hidden = false;
    element.querySelector("details").open = true;
    element.scrollIntoView();
    element.querySelector("summary").focus({ preventScroll: true });
  }

  function each(open) {
    cases.forEach(function (element) {
      if (!element.hidden && (!open || failing.contains(element))) { element.querySelector("details").open = open; }
    });
  }

  var timer = 0;
  query.addEventListener("input", function () { clearTimeout(timer); timer = setTimeout(change, 150); });
  selects.forEach(function (s) { s.addEventListener("change", change); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(change, 0); });
  $("open-all").addEventListener("click", function () { each(true); });
  $("close-all").addEventListener("click", function () { each(false); });

  document.addEventListener("click", function (event) {
    var button = event.target.closest ? event.target.closest("button") : null;
    if (!button) { return; }
    if (button.classList.contains("go")) {
      form.reset();
      var token = button.getAttribute("data-go");
      selects.forEach(function (s) { if (s.querySelector('option[value="' + token + '"]')) { s.value = token; } });
      change();
      $("cases").scrollIntoView();
      event.preventDefault();
    } else if (button.classList.contains("copy")) {
      copy(button);
    }
  });

  function copy(button) {
    var code = button.parentNode.querySelector("code"), before = button.textContent;
    function done(word) { button.textContent = word; setTimeout(function () { button.textContent = before; }, 1500); }
    function select() { getSelection().selectAllChildren(code); done("Selected"); }
    if (!navigator.clipboard) { select(); return; }
    navigator.clipboard.writeText(code.textContent).then(function () { done("Copied"); }, select);
  }

  function move(step) {
    var visible = cases.filter(function (c) { return !c.hidden; });
    var at = visible.findIndex(function (c) { return c.contains(document.activeElement); });
    var next = visible[at < 0 ? (step > 0 ? 0 : -1) : at + step];
    if (next) { next.querySelector("summary").focus(); next.scrollIntoView({ block: "nearest" }); }
  }

  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape" && event.target === query) { query.blur(); return; }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (event.key === "/") { event.preventDefault(); query.focus(); }
    if (event.key === "j") { move(1); }
    if (event.key === "k") { move(-1); }
    if (event.key === "o" && document.activeElement.tagName === "SUMMARY") { document.activeElement.click(); }
  });

  var closed = [];
  addEventListener("beforeprint", function () {
    closed = Array.prototype.slice.call(document.querySelectorAll("main details:not([open])"))
      .filter(function (d) { return !d.closest("#rest"); });
    closed.forEach(function (d) { d.open = true; });
  });
  addEventListener("afterprint", function () { closed.forEach(function (d) { d.open = false; }); });
  addEventListener("hashchange", follow);
  apply();
  follow();
})();
