#include "cryoscape/report/svg_plot.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "cryoscape/report/markup.hpp"

namespace cryoscape::report {
namespace {

constexpr const char* kFont = "font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\"";
constexpr double kTextSize = 12, kTickLength = 5, kCapWidth = 8, kDigitWidth = 7.7, kLegendRow = 18;
const std::array<const char*, 6> kColours{"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"};
const std::array<const char*, 5> kDashes{"", "6 3", "2 2", "8 3 2 3", "12 4"};

std::string text_at(double x, double y, const std::string& anchor, const std::string& content,
                    const std::string& more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more,
                     escape(content));
}

std::string line_at(double x0, double y0, double x1, double y1, const Stroke& stroke) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" stroke-width=\"{}\"{}/>\n",
      x0, y0, x1, y1, stroke.colour, stroke.width,
      stroke.dash.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", stroke.dash));
}

std::string stroked_path(const std::string& path, const Stroke& stroke) {
  return fmt::format(
      "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{}/>\n", path,
      stroke.colour, stroke.width,
      stroke.dash.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", stroke.dash));
}

/// A marker around the current point, as relative path commands; shapes have about the same area. The circle
/// is a dot of a round pen, which keeps clouds of points small.
std::string marker_path(Marker marker, double size) {
  const double h = 0.5 * size;
  switch (marker) {
    case Marker::circle:
      return "h.01";
    case Marker::triangle:
      return fmt::format("m{:.2f} {:.2f}h{:.2f}l{:.2f} {:.2f}z", -1.15 * h, 0.8 * h, 2.3 * h, -1.15 * h,
                         -2 * h);
    case Marker::square:
      return fmt::format("m{:.2f} {:.2f}h{:.2f}v{:.2f}h{:.2f}z", -0.9 * h, -0.9 * h, 1.8 * h, 1.8 * h,
                         -1.8 * h);
    case Marker::diamond:
      return fmt::format("m0 {:.2f}l{:.2f} {:.2f}l{:.2f} {:.2f}l{:.2f} {:.2f}z", -1.25 * h, 1.25 * h,
                         1.25 * h, -1.25 * h, 1.25 * h, -1.25 * h, -1.25 * h);
    case Marker::inverted:
      return fmt::format("m{:.2f} {:.2f}h{:.2f}l{:.2f} {:.2f}z", -1.15 * h, -0.8 * h, 2.3 * h, -1.15 * h,
                         2 * h);
  }
  return {};
}

std::string markers(const std::string& path, Marker marker, const std::string& colour, double size,
                    double opacity) {
  if (marker == Marker::circle)
    return fmt::format(
        "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linecap=\"round\" "
        "stroke-opacity=\"{}\"/>\n",
        path, colour, size, opacity);
  return fmt::format("<path d=\"{}\" fill=\"{}\" fill-opacity=\"{}\"/>\n", path, colour, opacity);
}

}  // namespace

std::string series_colour(std::size_t k) { return kColours[k % kColours.size()]; }
Marker series_marker(std::size_t k) { return static_cast<Marker>(k % 5); }
std::string series_dash(std::size_t k) { return kDashes[k % kDashes.size()]; }

Panel::Panel(std::string id, Rectangle frame, Axis x, Axis y)
    : id_(std::move(id)), frame_(frame), x_(std::move(x)), y_(std::move(y)) {}

double Panel::x(double value) const {
  return frame_.left + (value - x_.range.low) / x_.range.width() * frame_.width;
}

double Panel::y(double value) const {
  return frame_.top + (y_.range.high - value) / y_.range.width() * frame_.height;
}

void Panel::line(std::span<const double> xs, std::span<const double> ys, const Stroke& stroke) {
  std::string path;
  bool pen_down = false;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const bool drawn = std::isfinite(xs[i]) && std::isfinite(ys[i]);
    if (drawn) path += fmt::format("{}{:.2f} {:.2f}", pen_down ? "L" : "M", x(xs[i]), y(ys[i]));
    pen_down = drawn;
  }
  if (!path.empty()) marks_ += stroked_path(path, stroke);
}

void Panel::band(std::span<const double> xs, std::span<const double> low, std::span<const double> high,
                 const std::string& colour) {
  std::string there, back;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (!std::isfinite(xs[i]) || !std::isfinite(low[i]) || !std::isfinite(high[i])) continue;
    there += fmt::format("{}{:.2f} {:.2f}", there.empty() ? "M" : "L", x(xs[i]), y(high[i]));
    back.insert(0, fmt::format("L{:.2f} {:.2f}", x(xs[i]), y(low[i])));
  }
  if (!there.empty())
    marks_ += fmt::format("<path d=\"{}{}z\" fill=\"{}\" fill-opacity=\"0.25\"/>\n", there, back, colour);
}

void Panel::points(std::span<const double> xs, std::span<const double> ys, Marker marker,
                   const std::string& colour, double size, double opacity) {
  const auto shape = marker_path(marker, size);
  std::string path;
  for (std::size_t i = 0; i < xs.size(); ++i)
    if (std::isfinite(xs[i]) && std::isfinite(ys[i]))
      path += fmt::format("M{:.1f} {:.1f}{}", x(xs[i]), y(ys[i]), shape);
  if (!path.empty()) marks_ += markers(path, marker, colour, size, opacity);
}

void Panel::bar(double centre, double width, double value, const std::string& colour) {
  if (!std::isfinite(value)) return;
  const double left = x(centre - 0.5 * width), right = x(centre + 0.5 * width);
  marks_ += fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\"/>\n",
                        left, std::min(y(0), y(value)), right - left, std::abs(y(0) - y(value)), colour);
}

void Panel::error_bar(double at, double value, double error) {
  if (!std::isfinite(value) || !std::isfinite(error) || error <= 0) return;
  const double centre = x(at), low = y(value - error), high = y(value + error);
  for (const double end : {low, high})
    marks_ += line_at(centre - 0.5 * kCapWidth, end, centre + 0.5 * kCapWidth, end, {"#222222", 1.2, ""});
  marks_ += line_at(centre, low, centre, high, {"#222222", 1.2, ""});
}

void Panel::histogram(Range range, std::span<const double> counts, const Stroke& stroke, bool fill) {
  if (counts.empty()) return;
  const double width = range.width() / static_cast<double>(counts.size());
  std::string path = fmt::format("M{:.2f} {:.2f}", x(range.low), y(0));
  for (std::size_t i = 0; i < counts.size(); ++i)
    path += fmt::format("V{:.2f}H{:.2f}", y(counts[i]), x(range.low + width * static_cast<double>(i + 1)));
  path += fmt::format("V{:.2f}", y(0));
  if (fill) marks_ += fmt::format("<path d=\"{}z\" fill=\"{}\"/>\n", path, stroke.colour);
  if (!fill) marks_ += stroked_path(path, stroke);
}

void Panel::segments(std::span<const Segment> segments, const Stroke& stroke) {
  std::string path;
  for (const auto& s : segments)
    path += fmt::format("M{:.1f} {:.1f}L{:.1f} {:.1f}", x(s.x0), y(s.y0), x(s.x1), y(s.y1));
  if (!path.empty()) marks_ += stroked_path(path, stroke);
}

void Panel::vertical_note(double at, const std::string& note) {
  if (at <= x_.range.low || at >= x_.range.high) return;
  marks_ += line_at(x(at), frame_.top, x(at), frame_.top + frame_.height, {"#888888", 1, "3 3"});
  overlays_ += text_at(x(at), frame_.top - 5, "middle", note, " font-size=\"10.5\" fill=\"#555555\"");
}

void Panel::note(double at, double value, double shift, const std::string& note) {
  if (std::isfinite(value))
    overlays_ += text_at(x(at), y(value) + shift, "middle", note,
                         " stroke=\"#ffffff\" stroke-width=\"2.5\" paint-order=\"stroke\"");
}

void Panel::note_above(double at, double value, const std::string& text) { note(at, value, -5, text); }
void Panel::note_below(double at, double value, const std::string& text) { note(at, value, 14, text); }

void Panel::cells(const DensityGrid& grid, double from, double to, const std::string& colour) {
  const auto edge = [](Range range, std::size_t k, std::size_t of) {
    return range.low + range.width() * static_cast<double>(k) / static_cast<double>(of);
  };
  std::string path;
  for (std::size_t row = 0; row < grid.rows; ++row)
    for (std::size_t begin = 0; begin < grid.columns;) {
      std::size_t end = begin;
      while (end < grid.columns && grid.at(end, row) >= from && grid.at(end, row) < to) ++end;
      if (end > begin)
        path += fmt::format("M{:.2f} {:.2f}H{:.2f}V{:.2f}H{:.2f}z", x(edge(grid.x, begin, grid.columns)),
                            y(edge(grid.y, row, grid.rows)), x(edge(grid.x, end, grid.columns)),
                            y(edge(grid.y, row + 1, grid.rows)), x(edge(grid.x, begin, grid.columns)));
      begin = end + 1;
    }
  // Sharp edges: smoothed ones would leave light seams between neighbours.
  if (!path.empty())
    marks_ += fmt::format("<path d=\"{}\" fill=\"{}\" shape-rendering=\"crispEdges\"/>\n", path, colour);
}

std::string Panel::x_axis() const {
  if (x_.ticks == 0) return "";
  const double bottom = frame_.top + frame_.height;
  const auto ticks = nice_ticks(x_.range, x_.ticks, x_.whole);
  std::string out;
  for (std::size_t i = 0; i < ticks.values.size(); ++i) {
    const double at = x(ticks.values[i]);
    out += line_at(at, bottom, at, bottom + kTickLength, {"#222222", 1, ""});
    if (x_.tick_labels) out += text_at(at, bottom + kTickLength + 13, "middle", ticks.labels[i]);
  }
  if (x_.tick_labels) out += text_at(frame_.left + 0.5 * frame_.width, bottom + 37, "middle", x_.label);
  return out;
}

std::string Panel::y_axis() const {
  const auto ticks = nice_ticks(y_.range, y_.ticks, y_.whole);
  std::string out;
  std::size_t longest = 0;  // in characters: continuation bytes of UTF-8 do not count
  for (std::size_t i = 0; i < ticks.values.size(); ++i) {
    const double at = y(ticks.values[i]);
    out += line_at(frame_.left - kTickLength, at, frame_.left, at, {"#222222", 1, ""});
    if (y_.tick_labels) out += text_at(frame_.left - kTickLength - 4, at + 4, "end", ticks.labels[i]);
    std::size_t length = 0;
    for (const char c : ticks.labels[i]) length += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    longest = std::max(longest, length);
  }
  const double at =
      frame_.left - kTickLength - (y_.tick_labels ? 14 + kDigitWidth * static_cast<double>(longest) : 8);
  const double middle = frame_.top + 0.5 * frame_.height;
  return out + text_at(at, middle, "middle", y_.label,
                       fmt::format(" transform=\"rotate(-90 {:.1f} {:.1f})\"", at, middle));
}

std::string Panel::svg() const {
  const auto rectangle = fmt::format("x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", frame_.left, frame_.top,
                                     frame_.width, frame_.height);
  return fmt::format("<clipPath id=\"{0}\"><rect {1}/></clipPath>\n<g clip-path=\"url(#{0})\">\n{2}</g>\n",
                     id_, rectangle, marks_) +
         fmt::format("<rect {} fill=\"none\" stroke=\"#222222\" stroke-width=\"1\"/>\n", rectangle) +
         x_axis() + y_axis() + overlays_;
}

std::string legend(double left, double top, std::span<const LegendEntry> entries) {
  std::string out;
  double at = top + 0.5 * kLegendRow;
  for (const auto& entry : entries) {
    if (entry.as_line)
      out += line_at(left, at, left + 24, at, entry.stroke);
    else
      out += markers(fmt::format("M{:.1f} {:.1f}{}", left + 12, at, marker_path(entry.marker, 8)),
                     entry.marker, entry.stroke.colour, 8, 1);
    out += text_at(left + 30, at + 4, "start", entry.text);
    at += kLegendRow;
  }
  return out;
}

std::string svg_document(double width, double height, const std::string& title, const std::string& content) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "role=\"img\" {2} "
      "font-size=\"{3}\" fill=\"#222222\">\n<title>{4}</title>\n<rect width=\"{0}\" height=\"{1}\" "
      "fill=\"#ffffff\"/>\n{5}</svg>\n",
      width, height, kFont, kTextSize, escape(title), content);
}

}  // namespace cryoscape::report
