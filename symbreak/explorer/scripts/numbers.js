// Matrices, clusters and chance, with the same numbers in the same order of operations as the Python package:
// symbreak.matrices, symbreak.clusters.partition (first fit) and the hypergeometric law.

// Numbers in base64: single precision, little-endian.
function unpacked(text) {
  if (text === null || text === undefined) return null
  return new Float32Array(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer)
}

// What is computed of a block once: its numbers, the nodes of each unit, diagonals.
function opened(block, nLabels) {
  if (block.opened) return block.opened
  const found = {
    nLabels,
    mean: unpacked(block.mean),
    readout: unpacked(block.readout),
    bias: unpacked(block.bias),
    matrices: unpacked(block.matrices),
    diagonals: {},
    units: {},
  }
  const grouped = (groups) => {
    const members = Array.from({ length: Math.max(...groups) }, () => [])
    groups.forEach((group, node) => members[group - 1].push(node))
    return members
  }
  if (block.heads) found.units.heads = grouped(block.heads)
  if (block.filters) found.units.filters = grouped(block.filters)
  else found.units.nodes = Array.from({ length: block.nodes }, (_, node) => [node])
  block.opened = found
  return found
}

// Field matrix of a unit, from 0: row by row, one row for each label of the input.
function fieldsOf(open, kind, unit) {
  const n = open.nLabels
  if (open.matrices) return Float64Array.from(open.matrices.subarray(unit * n * n, (unit + 1) * n * n))
  const fields = new Float64Array(n * n)
  for (const node of open.units[kind][unit]) {
    for (let i = 0; i < n; i++) {
      const mean = open.mean[node * n + i]
      for (let j = 0; j < n; j++) fields[i * n + j] += mean * open.readout[node * n + j]
    }
  }
  if (open.bias) for (let k = 0; k < n * n; k++) fields[k] += open.bias[k % n]
  return fields
}

// Signed maximum, NaN if an element is not finite.
function maximumOf(fields) {
  let maximum = -Infinity
  for (const field of fields) {
    if (!Number.isFinite(field)) return NaN
    if (field > maximum) maximum = field
  }
  return maximum
}

// Diagonal of the matrix of a unit, and its largest field: of a single node without forming the matrix, as the
// rounded product is monotone in each factor and the largest stands at a corner.
function diagonalOf(open, kind, unit) {
  const n = open.nLabels
  const [node, ...others] = open.matrices ? [] : open.units[kind][unit]
  if (node === undefined || others.length || open.bias) {
    const fields = fieldsOf(open, kind, unit)
    return { maximum: maximumOf(fields), at: (i) => fields[i * n + i] }
  }
  const [mean, readout] = [open.mean, open.readout].map((all) => all.subarray(node * n, (node + 1) * n))
  const ends = [mean, readout].map((all) => [Math.min(...all), Math.max(...all)])
  return { maximum: maximumOf(ends[0].flatMap((one) => ends[1].map((other) => one * other))), at: (i) => mean[i] * readout[i] }
}

// For every unit of a kind its diagonal over its largest field: what the map shows. NaN without a positive one.
function diagonalsOf(open, kind) {
  open.diagonals[kind] ||= open.units[kind].map((_, unit) => {
    const { maximum, at } = diagonalOf(open, kind, unit)
    return Float64Array.from({ length: open.nLabels }, (_, i) => (maximum > 0 ? at(i) / maximum : NaN))
  })
  return open.diagonals[kind]
}

// 1 where a field is strictly above a fraction of the signed maximum.
function clipped(fields, threshold) {
  const maximum = maximumOf(fields)
  const above = new Uint8Array(fields.length)
  if (!(maximum > 0)) return above
  for (let k = 0; k < fields.length; k++) above[k] = fields[k] / maximum > threshold ? 1 : 0
  return above
}

// Cluster of every label, from 1; 0: none. The first free candidate seeds a cluster, later free candidates join
// in the order of labels if they fit to all members, in both directions.
function partition(above, n) {
  const clusterOf = new Int32Array(n)
  let total = 0
  for (let seed = 0; seed < n; seed++) {
    if (!above[seed * n + seed] || clusterOf[seed]) continue
    total += 1
    const members = [seed]
    clusterOf[seed] = total
    for (let label = seed + 1; label < n; label++) {
      if (!above[label * n + label] || clusterOf[label]) continue
      if (members.every((member) => above[member * n + label] && above[label * n + member])) {
        members.push(label)
        clusterOf[label] = total
      }
    }
  }
  return clusterOf
}

// Labels of every cluster, the largest first, and N_c, C_s, diag, n.
function countsOf(above, clusterOf) {
  const groups = []
  clusterOf.forEach((cluster, label) => {
    if (cluster) (groups[cluster - 1] ||= []).push(label)
  })
  const diagonal = groups.reduce((sum, group) => sum + group.length, 0)
  const squares = groups.reduce((sum, group) => sum + group.length ** 2, 0)
  const ones = above.reduce((sum, one) => sum + one, 0)
  return {
    groups: [...groups].sort((one, other) => other.length - one.length),
    clusters: groups.length,
    size: groups.length ? diagonal / groups.length : NaN,
    diagonal,
    noise: ones - squares,
  }
}

// In how many node matrices of each head a label is in a cluster; a row for each head.
function appearancesOf(open, threshold) {
  const nodes = diagonalsOf(open, "nodes")
  return open.units.heads.map((members) =>
    Int32Array.from({ length: open.nLabels }, (_, label) =>
      members.reduce((sum, node) => sum + (nodes[node][label] > threshold ? 1 : 0), 0)))
}

// Central 95 % of the hypergeometric law: `drawn` of `all` nodes belong to the head, `marked` have the label.
function chanceBand(all, marked, drawn) {
  const logs = new Float64Array(all + 1)
  for (let k = 1; k <= all; k++) logs[k] = logs[k - 1] + Math.log(k)
  const choose = (n, k) => logs[n] - logs[k] - logs[n - k]
  const band = { low: null, high: null, mean: (drawn * marked) / all }
  let sum = 0
  for (let k = Math.max(0, drawn + marked - all); k <= Math.min(drawn, marked); k++) {
    sum += Math.exp(choose(marked, k) + choose(all - marked, drawn - k) - choose(all, drawn))
    if (band.low === null && sum >= 0.025 - 1e-12) band.low = k
    if (sum >= 0.975 - 1e-12) {
      band.high = k
      break
    }
  }
  band.high ??= Math.min(drawn, marked)
  return band
}
