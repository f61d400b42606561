import { describe, expect, it } from "vitest";
import { digits, interval, money, number, pValue, relative, seconds, signed } from "./format";
import { hasHidden, pieces, preview, visible } from "./hidden";
import { fromPoints, toPoints } from "./points";
import { timeAxis } from "./timeline";
import { turnsOf } from "./turns";
import { wordDiff } from "./worddiff";
import { match, withQuery } from "../app/router";
import { address } from "../api/client";

describe("figures read as in the reports", () => {
  it("writes numbers with the digits that matter", () => {
    expect(number(0.8741)).toBe("0.874");
    expect(number(0.0421, "s")).toBe("42 ms");
    expect(number(12345.6, "tokens")).toBe("12,346 tokens");
    expect(number(null)).toBe("–");
    expect(digits(0.00001)).toBe("1.0e-5");
  });
  it("writes durations, money, intervals, differences and p-values", () => {
    expect(seconds(185)).toBe("3 min 05 s");
    expect(money(0.00123)).toBe("0.0012 USD");
    expect(interval(0.8, 0.9)).toBe("[0.800, 0.900]");
    expect(signed(-0.043, "", true)).toBe("−4.3 pts");
    expect(pValue(0.0004)).toBe("< .001");
    expect(relative(1000, 1300)).toBe("5 min ago");
  });
});

describe("hidden characters", () => {
  it("are written out", () => {
    expect(visible("red \x1b[31m, evil \u202e")).toBe("red \\x1b[31m, evil ⟨U+202E⟩");
    expect(visible("a\u200b\u200b\u200bb")).toBe("a⟨U+200B⟩×3b");
    expect(visible("lone \ud800 half")).toBe("lone ⟨U+D800⟩ half");
  });
  it("leave text of every script alone", () => {
    for (const text of ["مرحبا", "👨\u200d👩\u200d👧", "line\r\nline\tcell", "ファミリー"]) {
      expect(visible(text)).toBe(text.replace("\r\n", "\n"));
    }
  });
  it("keep their place in the original", () => {
    const text = "ab\u0000\u0000cd";
    expect(pieces(text).map((piece) => [piece.start, piece.hidden])).toEqual([[0, false], [2, true], [4, false]]);
    expect(hasHidden("plain")).toBe(false);
  });
  it("find the question of a record that was cut off", () => {
    expect(preview('{"locale":"en","question":"How \\"much\\"?","rest":"…')).toBe('How "much"?');
    expect(preview("{not json")).toBe("{not json");
  });
});

describe("places", () => {
  it("are the same characters for server and browser", () => {
    const text = "😀 wrong";
    const at = fromPoints(text);
    expect(text.slice(at(2), at(7))).toBe("wrong");
    expect(toPoints(text, text.indexOf("wrong"))).toBe(2);
  });
});

describe("word differences", () => {
  it("give both texts back", () => {
    const parts = wordDiff("The fee is 9 euros.", "The fee is 12 euros a month.") ?? [];
    expect(parts.filter((part) => part.kind !== "added").map((part) => part.text).join("")).toBe("The fee is 9 euros.");
    expect(parts.filter((part) => part.kind !== "removed").map((part) => part.text).join("")).toBe("The fee is 12 euros a month.");
  });
  it("tell a rewritten text whole, and neighbouring changes as one", () => {
    expect(wordDiff("how many people", "Is it cheap?")?.map((part) => part.kind)).toEqual(["removed", "added"]);
    expect(wordDiff("It costs nine euros a month in all plans", "It costs about ten pounds a month in all plans")?.map((part) => part.text)).toEqual(["It costs ", "nine euros ", "about ten pounds ", "a month in all plans"]);
  });
  it("give up on texts too long to compare", () => {
    expect(wordDiff("a ".repeat(20_000), "b ".repeat(20_000))).toBeNull();
  });
});

describe("the timeline", () => {
  const spans = [{ started_s: 0, duration_s: 1, children: 0 }, { started_s: 99, duration_s: 1, children: 0 }];
  it("folds what is idle", () => {
    expect(timeAxis(spans, 100, false).hidden).toBe(0);
    expect(timeAxis(spans, 100, true).hidden).toBeGreaterThan(90);
    expect(parseFloat(timeAxis(spans, 100, true).place(99, 1).width)).toBeGreaterThan(20);
  });
});

describe("conversations", () => {
  it("are known by their many spellings", () => {
    expect(turnsOf([{ speaker: "user", text: "hi" }])?.[0]).toMatchObject({ role: "user", text: "hi" });
    expect(turnsOf({ messages: [{ role: "user", content: [{ type: "text", text: "a" }, { type: "image_url", image_url: "x" }] }] })?.[0]?.text).toBe("a\n[image_url]");
    expect(turnsOf([1, 2])).toBeNull();
  });
});

describe("addresses", () => {
  it("keep ids whole", () => {
    expect(match("/runs/:run/cases/:case", "/runs/r.1/cases/a%2Fb")).toEqual({ run: "r.1", case: "a/b" });
    expect(match("/runs/:run", "/runs/a/b")).toBeNull();
    expect(withQuery("/x?a=1&b=2", { a: null, c: "3" })).toBe("/x?b=2&c=3");
    expect(address("/compare", { candidate: ["a", "b"], q: "" })).toBe("/api/v1/compare?candidate=a&candidate=b");
  });
});
