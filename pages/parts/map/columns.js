// What a row holds in the columns that are shown on hover, as text.

function cellText(column, bytes, row) {
  if (column.kind === "text") return lineOf(column, bytes, row);
  const cells = (column.cells ??= { 1: Uint8Array, 2: Uint16Array, 4: Float32Array, 8: Float64Array }[column.width]);
  const values = (column.values ??= new cells(bytes.buffer, bytes.byteOffset, bytes.byteLength / column.width));
  const value = values[row];
  if (column.kind === "category") return column.names[value] ?? "";
  if (Number.isNaN(value)) return "";
  return column.kind === "date" ? day(value, value % 86400 !== 0) : String(column.width === 4 ? Number(value.toPrecision(7)) : value);
}

// One line of text that holds a line for each row; where each ends is found once.
function lineOf(held, bytes, row) {
  if (!held.ends) {
    const ends = [0];
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) ends.push(at + 1);
    ends.push(bytes.length + 1);
    held.ends = Uint32Array.from(ends);
  }
  return new TextDecoder().decode(bytes.subarray(held.ends[row], held.ends[row + 1] - 1));
}
