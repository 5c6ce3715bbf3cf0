// From controls, clicks and the address to the state, and from the state to controls, figures and the address.

const page = { state: {} }
let models = null
let busy = false

// Begin with what the address says; `given` are the models of the Bokeh document by name.
function start(given) {
  models = given
  page.data = JSON.parse(document.getElementById("symbreak-data").textContent)
  page.colours = JSON.parse(models.map.tags[0])
  page.noise = page.colours.shift()
  globalThis.addEventListener("hashchange", () => {
    const asked = readAddress(globalThis.location.hash)
    if (written({ ...page.state, ...asked }) !== written(page.state)) go(asked)
  })
  go(readAddress(globalThis.location.hash))
}

// One thing of the state changes.
function set(key, value) {
  if (!busy && models) go({ ...page.state, [key]: value })
}

// The box is empty again after a label was found, ready for the next.
function search(name) {
  const label = page.data ? page.data.labels.names.indexOf(name) : -1
  if (label < 0) return
  set("label", label)
  models.search.value = ""
}

function clicked(x, y) {
  const [unit, label] = [page.unitsOnMap[Math.floor(y)], page.labels[Math.floor(x)]]
  if (unit !== undefined && label !== undefined) go({ ...page.state, unit: unit + 1, label })
}

function go(asked) {
  const { blocks, labels, threshold } = page.data
  const found = settled(blocks, asked, labels.names.length, threshold)
  Object.assign(page, found, { labels: orderOfLabels(labels, found.block, found.state.order) })
  busy = true
  try {
    showControls(found)
    showMap(models, page)
    showUnit(models, page)
    showCurve(models, page)
    showLabel(models, page)
  } finally {
    busy = false
  }
  keep(written(page.state))
}

function showControls({ state, choices, block, open }) {
  for (const key of ["network", "seed", "tap", "block", "units", "order"]) {
    models[key].setv({ options: choices[key], value: state[key], disabled: choices[key].length < 2 })
  }
  models.unit.setv({ high: open.units[state.units].length, value: state.unit })
  models.threshold.value = state.threshold
  const accuracy = `The readout of this block is right for ${(100 * block.accuracy).toFixed(1)} % of the inputs.`
  models.said.text = `<p>${safe(block.said || (block.heads ? "These heads have not been compared with chance yet." : ""))} ${accuracy}</p>`
}

// The address keeps the state; a page inside another may not change its address.
function keep(words) {
  try {
    globalThis.history.replaceState(null, "", `#${words}`)
  } catch {
    globalThis.location.hash = words
  }
}

// Words of a place in a figure.
function hover(figure, x, y) {
  const [column, row] = [Math.floor(x), Math.floor(y)]
  const names = page.data.labels.names
  const { open, state } = page
  const n = open.nLabels
  if (figure === "map") {
    const [unit, label] = [page.unitsOnMap[row], page.labels[column]]
    if (unit === undefined || label === undefined) return ""
    const value = page.rows[unit][label]
    const words = state.units === "heads" ? `in ${value} of ${open.units.heads[unit].length} node matrices` : `diagonal ${plain(value)} of the largest field`
    return `${unitName(state.units, unit)}, ${names[label]}: ${words}`
  }
  const [i, j] = figure === "permuted" ? [page.permuted[row], page.permuted[column]] : [row, column]
  if (!(i >= 0 && i < n && j >= 0 && j < n)) return ""
  const field = page.fields[i * n + j]
  const place = page.rank[i] >= 0 && page.rank[i] === page.rank[j] ? `cluster ${page.rank[i] + 1}` : "noise"
  const kind = page.above[i * n + j] ? place : "below threshold"
  return `input ${names[i]}, output ${names[j]}: field ${plain(field)}, ${plain(field / page.maximum)} of the largest, ${kind}`
}
