#pragma once

namespace cryoscape::report {

/// The page's style sheet: system fonts, black on white, one column; figures and rows are kept whole in
/// print.
inline constexpr const char* kPageStyle = R"css(
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #ffffff; color: #1a1a1a; font: 15px/1.5 "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif; }
header, main { max-width: 1220px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 28px; }
header p { margin: 0; color: #555555; }
h1 { margin: 0; font-size: 28px; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 36px 0 12px; padding-bottom: 5px; font-size: 19px; border-bottom: 1px solid #d5d5d5; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 22px; margin: 0; }
dt { color: #555555; }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
code { font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
figure { display: inline-block; vertical-align: top; width: 560px; max-width: 100%; margin: 14px 12px 10px 0; }
figure svg { display: block; max-width: 100%; height: auto; }
figcaption { margin-top: 6px; padding-right: 12px; color: #444444; font-size: 13px; line-height: 1.4; }
.save { white-space: nowrap; }
a { color: #005a9c; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 20px 5px 0; text-align: left; vertical-align: top; border-bottom: 1px solid #e4e4e4; }
th { font-weight: 600; border-bottom-color: #888888; }
td { overflow-wrap: anywhere; }
.options { width: 100%; table-layout: fixed; }
.options th:first-child { width: 170px; }
.swatch { display: inline-block; width: 11px; height: 11px; margin-right: 8px; }
.warnings { margin: 0; padding: 10px 16px 10px 32px; background: #fff6e0; border-left: 4px solid #e69f00; }
.absent { margin: 0; color: #555555; }
summary { cursor: pointer; font-weight: 600; }
details table { margin-top: 12px; }
section:last-child { margin: 36px 0 48px; }
@media print {
  body { font-size: 10pt; }
  header, main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  figure, tr, dl { break-inside: avoid; }
  figure { width: 48%; margin-right: 1%; }
  figcaption { font-size: 8pt; }
  .save { display: none; }
  .swatch, .warnings { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace cryoscape::report
