#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cryoscape/particles/inspection.hpp"

namespace cryoscape::particles {
namespace {

constexpr std::size_t kGroupsShown = 20;

void row(std::string& text, const std::string& label, const std::string& value) {
  text += fmt::format("{:<14}{}\n", label, value);
}

std::string range(const Spread& s, const char* unit) {
  if (s.low == s.high) return fmt::format("{:.4g} {}", s.low, unit);
  return fmt::format("{:.4g} to {:.4g} {} (median {:.4g})", s.low, s.high, unit, s.median);
}

std::string size_text(const optics::OpticsGroup& o) {
  if (o.box <= 0 || o.pixel_size <= 0)
    return o.pixel_size > 0 ? fmt::format("{:.4f} A per pixel, box unknown", o.pixel_size) : "unknown";
  return fmt::format("{} pixels of {:.4f} A: {:.0f} A", o.box, o.pixel_size, o.box * o.pixel_size);
}

/// Box and pixel size: of all groups where they agree.
std::string boxes(const Inspection& in) {
  std::vector<std::string> sizes;
  for (const auto& g : in.groups) sizes.push_back(size_text(g.optics));
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return fmt::format("{}", fmt::join(sizes, "; "));
}

void groups_table(std::string& text, const Inspection& in) {
  std::size_t width = 12;
  const std::size_t shown = std::min(in.groups.size(), kGroupsShown);
  for (std::size_t g = 0; g < shown; ++g) width = std::max(width, in.groups[g].optics.name.size());
  text += fmt::format("\n{:<{}}{:>11}{:>7}{:>8}{:>7}{:>10}{:>6}  {}\n", "optics group", width, "particles",
                      "kV", "Cs/mm", "w", "A/pixel", "box", "terms");
  for (std::size_t g = 0; g < shown; ++g) {
    const auto& o = in.groups[g].optics;
    text += fmt::format("{:<{}}{:>11}{:>7.4g}{:>8.3g}{:>7.3g}{:>10.4f}{:>6}{}{}\n", o.name, width,
                        in.groups[g].particles, o.voltage_kv, o.cs_mm, o.amplitude_contrast, o.pixel_size,
                        o.box, in.groups[g].terms.empty() ? "" : "  ", fmt::join(in.groups[g].terms, ", "));
  }
  if (in.groups.size() > shown) text += fmt::format("and {} more\n", in.groups.size() - shown);
}

nlohmann::ordered_json to_json(const Spread& s) {
  return {{"low", s.low}, {"median", s.median}, {"high", s.high}};
}

}  // namespace

std::string inspection_text(const Inspection& in) {
  std::string text;
  row(text, "file", fmt::format("{} ({})", in.source, in.format));
  row(text, "particles",
      in.particles == in.source_rows ? fmt::format("{}", in.particles)
                                     : fmt::format("{} of {}", in.particles, in.source_rows));
  row(text, "stacks",
      in.stacks_missing ? fmt::format("{}, {} missing", in.stacks, in.stacks_missing)
                        : fmt::format("{}, all found", in.stacks));
  row(text, "box", boxes(in));
  row(text, "half-sets",
      in.halves[0] == in.particles
          ? "none in the file"
          : fmt::format("{} and {}{}", in.halves[1], in.halves[2],
                        in.halves[0] ? fmt::format(", {} in neither", in.halves[0]) : ""));
  row(text, "defocus", range(in.defocus, "um"));
  row(text, "astigmatism", range(in.astigmatism, "um"));
  row(text, "phase shift", range(in.phase_shift, "degrees"));
  row(text, "shifts", range(in.shift, "A"));
  row(text, "views",
      fmt::format("{} of {} bins of 10 degrees filled ({:.0f} if uniform); fullest {:.1f} times, least "
                  "sampled direction "
                  "{:.2f} times an even share",
                  in.poses.filled, in.poses.bins, in.poses.expected_filled, in.poses.largest_excess,
                  in.poses.least_sampled));
  row(text, "in-plane", fmt::format("{:.0f} % of angles filled", 100 * in.poses.in_plane_filled));
  if (in.images.read)
    row(text, "images",
        fmt::format("{} sampled, {} unusable; mean {:.4g}, standard deviation {:.4g}", in.images.read,
                    in.images.unusable, in.images.mean, in.images.deviation));
  for (const auto& [label, value] : in.more) row(text, label, value);
  groups_table(text, in);
  if (!in.notes.empty() || !in.warnings.empty()) text += '\n';
  for (const auto& n : in.notes) text += "note: " + n + "\n";
  for (const auto& w : in.warnings) text += "warning: " + w + "\n";
  return text;
}

nlohmann::ordered_json inspection_json(const Inspection& in) {
  nlohmann::ordered_json groups = nlohmann::ordered_json::array();
  for (const auto& g : in.groups) {
    const auto& o = g.optics;
    groups.push_back({{"name", o.name},
                      {"particles", g.particles},
                      {"box", o.box},
                      {"pixel_size", o.pixel_size},
                      {"voltage_kv", o.voltage_kv},
                      {"cs_mm", o.cs_mm},
                      {"amplitude_contrast", o.amplitude_contrast},
                      {"terms", g.terms}});
  }
  nlohmann::ordered_json more = nlohmann::ordered_json::object();
  for (const auto& [label, value] : in.more) more[label] = value;
  return {{"source", in.source},
          {"format", in.format},
          {"particles", in.particles},
          {"source_rows", in.source_rows},
          {"stacks", in.stacks},
          {"stacks_missing", in.stacks_missing},
          {"repeated_images", in.repeated_images},
          {"half_sets", {{"unknown", in.halves[0]}, {"first", in.halves[1]}, {"second", in.halves[2]}}},
          {"defocus_um", to_json(in.defocus)},
          {"astigmatism_um", to_json(in.astigmatism)},
          {"phase_shift_degrees", to_json(in.phase_shift)},
          {"shift_angstrom", to_json(in.shift)},
          {"poses",
           {{"bins", in.poses.bins},
            {"filled", in.poses.filled},
            {"expected_filled", in.poses.expected_filled},
            {"largest_excess", in.poses.largest_excess},
            {"least_sampled", in.poses.least_sampled},
            {"in_plane_filled", in.poses.in_plane_filled}}},
          {"images",
           {{"read", in.images.read},
            {"unusable", in.images.unusable},
            {"bad_rows", in.images.bad_rows},
            {"mean", in.images.mean},
            {"standard_deviation", in.images.deviation}}},
          {"optics_groups", groups},
          {"more", more},
          {"notes", in.notes},
          {"warnings", in.warnings}};
}

}  // namespace cryoscape::particles
