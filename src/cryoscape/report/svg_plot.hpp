#pragma once
#include <span>
#include <string>
#include <vector>

#include "cryoscape/report/density_grid.hpp"
#include "cryoscape/report/svg_axis.hpp"

/// Plots as SVG text that stands alone: every style is an attribute, so a figure cut out of the page looks
/// the same in a paper. Lengths are in pixels, y grows downwards, data values that are not finite are
/// skipped.
namespace cryoscape::report {

/// Where a panel's axes lie in its figure.
struct Rectangle {
  double left = 0, top = 0, width = 0, height = 0;
};

struct Axis {
  std::string label;  ///< with its unit
  Range range;
  int ticks = 5;            ///< about so many; 0: none
  bool whole = false;       ///< ticks at whole numbers only
  bool tick_labels = true;  ///< numbers and label are drawn
};

struct Stroke {
  std::string colour = "#000000";
  double width = 1.5;
  std::string dash;  ///< SVG dash pattern, empty: solid
};

/// Shapes keep series apart where colours cannot be told.
enum class Marker { circle, triangle, square, diamond, inverted };

/// Colour, marker and dash of the k-th series: the colours of Okabe and Ito (jfly.uni-koeln.de/color) that
/// are dark enough on white; the combinations repeat after 30.
std::string series_colour(std::size_t k);
Marker series_marker(std::size_t k);
std::string series_dash(std::size_t k);

/// Axes and what is drawn between them, clipped to the frame.
class Panel {
 public:
  /// `id` is unique in the page: clip paths are found by it.
  Panel(std::string id, Rectangle frame, Axis x, Axis y);

  /// Data to pixels: the range's ends are the frame's edges.
  double x(double value) const;
  double y(double value) const;
  const Rectangle& frame() const { return frame_; }

  /// A line through points, broken at values that are not finite.
  void line(std::span<const double> xs, std::span<const double> ys, const Stroke& stroke);
  /// A filled band between two curves.
  void band(std::span<const double> xs, std::span<const double> low, std::span<const double> high,
            const std::string& colour);
  /// A marker at each point, as one path.
  void points(std::span<const double> xs, std::span<const double> ys, Marker marker,
              const std::string& colour, double size, double opacity);
  /// A bar from zero to `value`.
  void bar(double centre, double width, double value, const std::string& colour);
  /// A vertical line with caps from value − error to value + error.
  void error_bar(double at, double value, double error);
  /// A histogram's outline (and, with `fill`, its area): counts of equal bins over `range`.
  void histogram(Range range, std::span<const double> counts, const Stroke& stroke, bool fill);
  void segments(std::span<const Segment> segments, const Stroke& stroke);
  /// Cells whose value lies in [from, to), as one filled area.
  void cells(const DensityGrid& grid, double from, double to, const std::string& colour);
  /// A dashed vertical line with a note at its top.
  void vertical_note(double at, const std::string& note);
  /// Text centred above a data position or below it, with a white rim that keeps it readable.
  void note_above(double at, double value, const std::string& note);
  void note_below(double at, double value, const std::string& note);

  /// Frame, ticks, labels and marks.
  std::string svg() const;

 private:
  void note(double at, double value, double shift, const std::string& note);
  std::string x_axis() const;
  std::string y_axis() const;

  std::string id_;
  Rectangle frame_;
  Axis x_, y_;
  std::string marks_;     ///< clipped
  std::string overlays_;  ///< not clipped
};

/// One line of a legend; a series drawn as points has `as_line` false.
struct LegendEntry {
  std::string text;
  Stroke stroke;
  Marker marker = Marker::circle;
  bool as_line = true;
};
/// Entries one below the other from a corner in pixels.
std::string legend(double left, double top, std::span<const LegendEntry> entries);

/// A whole figure, with a title for those who cannot see it.
std::string svg_document(double width, double height, const std::string& title, const std::string& content);

}  // namespace cryoscape::report
