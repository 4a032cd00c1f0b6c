/* What search shows first: a function or class of that name, then chapters and guides, then the rest. */
var Scorer = {
  score: function (result) {
    const page = result[0];
    if (/^(course\/\d|guides\/)/.test(page)) return result[4] + 3;
    if (/^(studies|course\/exercises)\//.test(page)) return result[4] - 2;
    return result[4];
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
