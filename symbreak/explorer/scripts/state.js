// What is shown: network, seed, tap, block, kind of units, unit, threshold, label, order of labels.
// The address keeps it after the number sign, as network=cct&seed=1&...

const KEYS = ["network", "seed", "tap", "block", "units", "unit", "threshold", "label", "order"]
const ORDERS = ["owner, superclass", "superclass", "as in the data"]
const distinct = (values) => [...new Set(values)]

// The blocks that agree with the state in all keys before this one.
function candidates(blocks, state, key) {
  const before = KEYS.slice(0, KEYS.indexOf(key))
  return blocks.filter((block) => before.every((name) => !(name in block) || String(block[name]) === state[name]))
}

// The same state with everything that does not exist replaced by what does; also the choices for every key.
function settled(blocks, state, nLabels, threshold) {
  const next = { ...state }
  const choices = {}
  for (const key of ["network", "seed", "tap", "block"]) {
    choices[key] = distinct(candidates(blocks, next, key).map((block) => String(block[key])))
    const first = key === "tap" && choices[key].includes("attention") ? "attention" : choices[key][0]
    const usual = key === "block" ? choices[key].at(-1) : first
    if (!choices[key].includes(next[key])) next[key] = usual
  }
  const block = blocks.find((one) => ["network", "seed", "tap", "block"].every((key) => String(one[key]) === next[key]))
  const open = opened(block, nLabels)
  choices.units = Object.keys(open.units)
  if (!choices.units.includes(next.units)) next.units = choices.units[0]
  choices.order = block.owner ? ORDERS : ORDERS.slice(1)
  if (!choices.order.includes(next.order)) next.order = choices.order[0]
  next.unit = whole(next.unit, 1, open.units[next.units].length, 1)
  next.label = whole(next.label, 0, nLabels - 1, 0)
  const cut = next.threshold === undefined || next.threshold === "" ? NaN : Number(next.threshold)
  next.threshold = cut >= 0 && cut < 1 ? cut : threshold
  return { state: next, choices, block, open }
}

function whole(value, least, most, usual) {
  const number = value === undefined || value === "" ? NaN : Number(value)
  return Number.isInteger(number) && number >= least && number <= most ? number : usual
}

function written(state) {
  return new URLSearchParams(KEYS.map((key) => [key, String(state[key])])).toString()
}

function readAddress(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""))
  return Object.fromEntries(KEYS.filter((key) => given.has(key)).map((key) => [key, given.get(key)]))
}

// Places of labels on the map: by owner and superclass, by superclass, or as they are.
function orderOfLabels(labels, block, order) {
  const places = labels.names.map((_, label) => label)
  const groups = distinct(labels.superclasses)
  const above = labels.superclasses.map((name) => (name === "" ? groups.length : groups.indexOf(name)))
  const owner = block.owner ? block.owner.map((head) => head || Infinity) : places.map(() => 0)
  const by = (keys) => places.sort((one, other) => {
    const key = keys.find((values) => values[one] !== values[other])
    return key ? (key[one] < key[other] ? -1 : 1) : one - other
  })
  if (order === "as in the data") return places
  return by(order === "superclass" ? [above] : [owner, above])
}

// Places of units on the map: nodes by head, then by the place of the label with their largest diagonal field.
function orderOfUnits(block, kind, rows, labels) {
  const places = rows.map((_, unit) => unit)
  if (kind === "heads") return places
  const strongest = rows.map((row) => {
    let best = 0
    labels.forEach((label, place) => {
      if (row[label] > row[labels[best]]) best = place
    })
    return best
  })
  const head = kind === "nodes" && block.heads ? block.heads : rows.map(() => 0)
  return places.sort((one, other) => head[one] - head[other] || strongest[one] - strongest[other] || one - other)
}
