// What the state looks like: every function fills the sources of one figure. `models` are those of the Bokeh
// document, by name; words of a file enter a page through `safe` only.

const NAMED_TICKS = 40
const CLUSTERS_LISTED = 12
const LABELS_LISTED = 14

function safe(text) {
  const signs = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" }
  return String(text).replace(/[&<>"']/g, (sign) => signs[sign])
}

const plain = (number, digits = 3) => (Number.isFinite(number) ? String(Number(number.toPrecision(digits))) : "–")
const unitName = (kind, unit) => `${kind.slice(0, -1)} ${unit + 1}`
// Text on axes is read as TeX between two dollar signs.
const onAxis = (text) => (text.length > 22 ? `${text.slice(0, 21)}…` : text).replaceAll("$$", "$ $")

function showImage(source, values, height, width) {
  const array = new source.data.image[0].constructor(Float32Array.from(values), [height, width])
  source.data = { image: [array], x: [0], y: [0], dw: [width], dh: [height] }
}

function fit(figure, width, height) {
  figure.x_range.setv({ start: 0, end: width, reset_start: 0, reset_end: width })
  figure.y_range.setv({ start: height, end: 0, reset_start: height, reset_end: 0 })
}

function showTicks(axis, ticks) {
  axis.ticker.ticks = ticks.map(([place]) => place)
  axis.major_label_overrides = new Map(ticks.map(([place, words]) => [place, onAxis(words)]))
}

// Runs of equal words: [first place, end, words].
function runs(words) {
  const found = []
  words.forEach((word, place) => {
    const last = found.at(-1)
    if (last && last[2] === word) last[1] = place + 1
    else found.push([place, place + 1, word])
  })
  return found
}

// Named places where there are few, else names of groups at their middle and lines between them.
function marks(names, groups) {
  const found = runs(groups)
  const grouped = found.length > 1 && found.length <= NAMED_TICKS
  const few = names.length <= NAMED_TICKS
  const ticks = few ? names.map((name, place) => [place + 0.5, name])
    : grouped ? found.filter(([start, end]) => end - start >= names.length / 60).map(([start, end, words]) => [(start + end) / 2, words]) : []
  return { ticks, lines: grouped ? found.slice(1).map(([start]) => start) : [] }
}

function showMap(models, page) {
  const { state, block, open, labels, data } = page
  const kind = state.units
  const shares = kind === "heads"
  const rows = shares ? appearancesOf(open, state.threshold) : diagonalsOf(open, kind)
  const units = orderOfUnits(block, kind, rows, labels)
  const values = units.flatMap((unit) =>
    labels.map((label) => (shares || rows[unit][label] > state.threshold ? rows[unit][label] : NaN)))
  page.rows = rows
  page.unitsOnMap = units
  showImage(models.map_image, values, units.length, labels.length)
  fit(models.map, labels.length, units.length)
  models.map_mapper.setv({ low: shares ? 0 : state.threshold, high: shares ? Math.max(1, ...rows.map((row) => Math.max(...row))) : 1 })
  const across = marks(labels.map((label) => data.labels.names[label]), labels.map((label) => groupOf(page, label)))
  const down = marks(units.map((unit) => unitName(kind, unit)),
    units.map((unit) => (kind === "nodes" && block.heads ? `head ${block.heads[unit]}` : "")))
  showTicks(models.map.below[0], across.ticks)
  showTicks(models.map.left[0], down.ticks)
  models.map_lines.data = {
    x0: [...across.lines, ...down.lines.map(() => 0)], x1: [...across.lines, ...down.lines.map(() => labels.length)],
    y0: [...across.lines.map(() => 0), ...down.lines], y1: [...across.lines.map(() => units.length), ...down.lines],
  }
  const [row, column] = [units.indexOf(state.unit - 1), labels.indexOf(state.label)]
  models.map_mark.data = {
    left: [0, column], right: [labels.length, column + 1], top: [row, 0], bottom: [row + 1, units.length],
  }
  models.map.title.text = shares ? "In how many node matrices of each head a label is in a cluster; click to open a head"
    : `Diagonal field of ${kind} over their largest field, where above the threshold; click to open one`
}

// Group of a label on the map: its owner or its superclass.
function groupOf(page, label) {
  if (page.state.order === "owner, superclass") {
    const owner = page.block.owner[label]
    return owner ? `owned by head ${owner}` : "no owner"
  }
  return page.state.order === "superclass" ? page.data.labels.superclasses[label] : ""
}

function showUnit(models, page) {
  const { state, open, data } = page
  const n = open.nLabels
  const fields = fieldsOf(open, state.units, state.unit - 1)
  const maximum = maximumOf(fields)
  const above = clipped(fields, state.threshold)
  const clusterOf = partition(above, n)
  const counts = countsOf(above, clusterOf)
  const rank = new Int32Array(n).fill(-1)
  counts.groups.forEach((group, place) => group.forEach((label) => { rank[label] = place }))
  const order = [...counts.groups.flat(), ...Array.from(rank.keys()).filter((label) => rank[label] < 0)]
  const kinds = order.flatMap((i) => order.map((j) => {
    if (!above[i * n + j]) return 0
    return rank[i] >= 0 && rank[i] === rank[j] ? 2 + (rank[i] % page.colours.length) : 1
  }))
  Object.assign(page, { fields, maximum, above, clusterOf, counts, permuted: order, rank })
  showImage(models.raw_image, Array.from(fields, (field) => (maximum > 0 ? field / maximum : NaN)), n, n)
  showImage(models.clipped_image, above, n, n)
  showImage(models.permuted_image, kinds, n, n)
  const name = unitName(state.units, state.unit - 1)
  const titles = {
    raw: `Field of ${name} over its largest`,
    clipped: `Above ${plain(state.threshold)}`,
    permuted: `Clusters: N_c ${counts.clusters}, C_s ${plain(counts.size)}, diag ${counts.diagonal}, n ${counts.noise}`,
  }
  const names = data.labels.names
  for (const [figure, words] of Object.entries(titles)) {
    fit(models[figure], n, n)
    models[figure].title.text = words
    const { ticks } = marks((figure === "permuted" ? order : [...names.keys()]).map((label) => names[label]), names.map(() => ""))
    showTicks(models[figure].below[0], ticks)
    showTicks(models[figure].left[0], ticks)
  }
  models.numbers.text = numbersText(page, name)
}

function numbersText(page, name) {
  const { counts, state, maximum, data, colours } = page
  const listed = counts.groups.slice(0, CLUSTERS_LISTED).map((group, place) => {
    const names = group.slice(0, LABELS_LISTED).map((label) => safe(data.labels.names[label])).join(", ")
    const more = group.length > LABELS_LISTED ? ` and ${group.length - LABELS_LISTED} more` : ""
    return `<li><i style="background:${colours[place % colours.length]}"></i>${group.length}: ${names}${more}</li>`
  })
  const more = counts.groups.length - listed.length
  const none = maximum > 0 ? "No label is in a cluster at this threshold." : "The matrix has no positive field, so that no threshold applies."
  return `<h2>${name}, threshold ${plain(state.threshold)}</h2>
    <table><tr><th>N<sub>c</sub></th><th>C<sub>s</sub></th><th>diag</th><th>n</th></tr>
    <tr><td>${counts.clusters}</td><td>${plain(counts.size)}</td><td>${counts.diagonal}</td><td>${counts.noise}</td></tr></table>
    <p>Clusters, labels in a cluster, labels in all of them, elements of noise.</p>
    ${listed.length ? `<ul>${listed.join("")}</ul>` : `<p>${none}</p>`}
    ${more > 0 ? `<p>${more} more clusters.</p>` : ""}
    ${counts.noise > 0 ? `<ul><li><i style="background:${page.noise}"></i>noise: ${counts.noise} elements</li></ul>` : ""}`
}

function showCurve(models, page) {
  const { threshold, snr, snr_minimum } = page.block.curve
  const numbers = (values) => values.map((value) => value ?? NaN)
  models.curve_lines.data = { threshold, snr: numbers(snr), snr_minimum: numbers(snr_minimum) }
  models.curve_mark.location = page.state.threshold
  const distance = threshold.map((cut) => Math.abs(cut - page.state.threshold))
  const at = distance.indexOf(Math.min(...distance))
  page.read = { threshold: threshold[at], snr: snr[at], snr_minimum: snr_minimum[at] }
  models.curve.title.text = 
    `SNR (blue) ${plain(snr[at] ?? NaN)}, SNR_MIN (orange) ${plain(snr_minimum[at] ?? NaN)} at ${plain(threshold[at])}`
}

function showLabel(models, page) {
  const { state, block, open, data } = page
  const name = data.labels.names[state.label]
  const superclass = data.labels.superclasses[state.label]
  const words = [`<h2>${safe(name)}</h2>${superclass ? `<p>Superclass ${safe(superclass)}.</p>` : ""}`]
  models.chance.visible = Boolean(block.heads)
  if (block.heads) {
    const counts = appearancesOf(open, state.threshold).map((row) => row[state.label])
    const total = counts.reduce((sum, count) => sum + count, 0)
    const bands = counts.map((_, head) => chanceBand(block.nodes, total, open.units.heads[head].length))
    const places = counts.map((_, head) => head + 1)
    page.appearances = { counts, low: bands.map((band) => band.low), high: bands.map((band) => band.high) }
    models.chance_bars.data = {
      head: places, count: counts, mean: bands.map((band) => band.mean), left: places.map((place) => place - 0.42),
      right: places.map((place) => place + 0.42), low: bands.map((band) => band.low), high: bands.map((band) => band.high),
    }
    models.chance.x_range.setv({ start: 0.4, end: counts.length + 0.6 })
    models.chance.below[0].ticker.ticks = places
    models.chance.title.text = "Appearances in each head; grey: 95 % by chance"
    const owner = block.owner[state.label]
    words.push(`<p>In clusters of ${total} of ${block.nodes} nodes. At threshold ${plain(data.threshold)} ${owner ? `head ${owner} owns it` : "no head owns it"}.</p>`)
  } else {
    const kind = Object.keys(open.units)[0]
    const rows = diagonalsOf(open, kind)
    const total = rows.filter((row) => row[state.label] > state.threshold).length
    page.appearances = { counts: [total] }
    words.push(`<p>In clusters of ${total} of ${rows.length} ${kind}. This tap has no heads that could be compared with chance.</p>`)
  }
  models.label_text.text = words.join("")
}
