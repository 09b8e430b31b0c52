// Numbers for people.

const grouped = new Intl.NumberFormat("en-US");

export const count = (n) => grouped.format(n);

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${Number(n) === 1 ? one : many}`;

// 1.2M, 34K: three digits at most.
export const short = (n) => {
  const size = Math.abs(n);
  for (const [unit, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]])
    if (size >= unit) return `${trim(n / unit)}${letter}`;
  return trim(n);
};

const trim = (n) => String(Number(n.toPrecision(3)));

export const bytes = (n) => {
  for (const [unit, name] of [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]])
    if (n >= unit) return `${trim(n / unit)} ${name}`;
  return `${n} B`;
};

export const duration = (ms) => {
  if (ms < 0.1) return "less than 0.1 ms";
  if (ms < 1) return `${Number(ms.toPrecision(2))} ms`;
  if (ms < 1000) return `${Number(ms.toPrecision(3))} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60000)} min ${Math.floor(ms / 1000) % 60} s`;
};

const numeric = new Set(["int", "decimal", "double"]);

export const isNumber = (column) => numeric.has(column.type);

export const isTime = (column) => column.type === "date" || column.type === "datetime";
