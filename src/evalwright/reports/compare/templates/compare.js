"use strict";
(function () {
  var $ = function (id) { return document.getElementById(id); };
  var all = function (selector, inside) { return Array.prototype.slice.call((inside || document).querySelectorAll(selector)); };
  var cases = all("article.case"), form = $("filters"), query = $("q"), selects = all("select", form);
  all("button.copy, button.go").forEach(function (button) { button.hidden = false; });
  form.hidden = !cases.length;

  function has(element, token) { return (" " + element.getAttribute("data-f") + " ").indexOf(" " + token + " ") >= 0; }
  function chosen() { return selects.map(function (s) { return s.value; }).filter(Boolean); }

  function apply() {
    var words = query.value.toLowerCase().trim(), tokens = chosen(), count = 0;
    cases.forEach(function (element) {
      var match = tokens.every(function (token) { return has(element, token); }) &&
        (!words || element.textContent.toLowerCase().indexOf(words) >= 0);
      element.hidden = !match;
      count += match ? 1 : 0;
    });
    $("shown").textContent = count.toLocaleString("en") + " of " + cases.length.toLocaleString("en");
  }

  function save() {
    var state = chosen();
    if (query.value) { state.push("q:" + encodeURIComponent(query.value)); }
    if (document.body.classList.contains("nomarks")) { state.push("plain"); }
    try { history.replaceState(null, "", state.length ? "#?" + state.join("&") : "#cases"); } catch (error) { /* not kept */ }
  }

  function change() { apply(); save(); }
  function decoded(text) { try { return decodeURIComponent(text); } catch (error) { return text; } }

  function set(tokens) {
    tokens.forEach(function (token) {
      selects.forEach(function (s) {
        all("option", s).forEach(function (o) { if (token && o.value === token) { s.value = token; } });
      });
    });
  }

  function marks(on) {
    document.body.classList.toggle("nomarks", !on);
    $("diff").setAttribute("aria-pressed", String(on));
  }

  function follow() {
    var hash = location.hash;
    if (hash.indexOf("#?") === 0) {
      var parts = hash.slice(2).split("&");
      parts.forEach(function (part) { if (part.indexOf("q:") === 0) { query.value = decoded(part.slice(2)); } });
      marks(parts.indexOf("plain") < 0);
      set(parts);
      apply();
      $("cases").scrollIntoView();
      return;
    }
    var element = /^#p\d+-case-/.test(hash) ? $(hash.slice(1)) : null;
    if (!element) { return; }
    element.hidden = false;
    element.querySelector("details").open = true;
    element.scrollIntoView();
    element.querySelector("summary").focus({ preventScroll: true });
  }

  var timer = 0;
  query.addEventListener("input", function () { clearTimeout(timer); timer = setTimeout(change, 150); });
  selects.forEach(function (s) { s.addEventListener("change", change); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(change, 0); });
  $("diff").addEventListener("click", function () { marks(document.body.classList.contains("nomarks")); save(); });

  document.addEventListener("click", function (event) {
    var button = event.target.closest ? event.target.closest("button") : null;
    if (!button) { return; }
    if (button.classList.contains("go")) {
      form.reset();
      set(button.getAttribute("data-go").split(" "));
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

  function current(visible) { return visible.findIndex(function (c) { return c.contains(document.activeElement); }); }

  function move(step) {
    var visible = cases.filter(function (c) { return !c.hidden; }), at = current(visible);
    var next = visible[at < 0 ? (step > 0 ? 0 : visible.length - 1) : at + step];
    if (next) { next.querySelector("summary").focus(); next.scrollIntoView({ block: "nearest" }); }
  }

  function worseOnly() {
    var status = selects.filter(function (s) { return s.getAttribute("data-kind") === "status"; })[0];
    var option = status && all("option", status).filter(function (o) { return o.textContent.indexOf("worse") === 0; })[0];
    if (option) { status.value = status.value === option.value ? "" : option.value; change(); }
  }

  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape" && event.target === query) { query.blur(); return; }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (event.key === "/") { event.preventDefault(); query.focus(); }
    if (event.key === "j") { move(1); }
    if (event.key === "k") { move(-1); }
    if (event.key === "d") { marks(document.body.classList.contains("nomarks")); save(); }
    if (event.key === "r") { worseOnly(); }
    if (event.key === "x" && document.activeElement.tagName === "SUMMARY") { document.activeElement.click(); }
  });

  addEventListener("hashchange", follow);
  apply();
  follow();
})();
