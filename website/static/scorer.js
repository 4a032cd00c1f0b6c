/* What search shows first: a function or class of that name, then chapters and guides, then the rest. */
var Scorer = {
  score: function (result) {
    const [page, , , , score, , kind] = result;
    if (kind === "object") return score + 10;
    if (/^(course\/\d|guides\/)/.test(page)) return score + 3;
    if (/^(studies|library|course\/exercises)\//.test(page)) return score - 2;
    return score;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
