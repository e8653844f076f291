#include "cryoscape/density/fsc_output.hpp"

#include <fmt/format.h>

#include <cmath>
#include <ostream>

#include "cryoscape/io/star.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::density {
namespace {

constexpr double kUnlimited = 999;  ///< Å, what RELION writes for shell 0

void write_list(std::ostream& stream, const std::string& name,
                const std::vector<std::pair<std::string, std::string>>& values) {
  io::StarTable table;
  table.name = name, table.is_list = true;
  std::vector<std::string_view> fields;
  for (const auto& [label, value] : values) table.columns.push_back(label), fields.emplace_back(value);
  io::write_star_list(stream, table, fields);
  stream << '\n';
}

/// A loop of numbers with one row per entry.
void write_loop(std::ostream& stream, const std::string& name, const std::vector<std::string>& columns,
                const std::vector<std::vector<std::string>>& rows) {
  io::StarTable table;
  table.name = name, table.columns = columns;
  io::write_star_head(stream, table);
  for (const auto& row : rows) {
    const std::vector<std::string_view> fields(row.begin(), row.end());
    io::write_star_row(stream, fields);
  }
  stream << '\n';
}

std::string number(double value) { return fmt::format("{:.6f}", value); }

/// Shell, 1/Å and Å of a row.
std::vector<std::string> shell_fields(std::size_t shell, double extent) {
  const double s = static_cast<double>(shell);
  return {std::to_string(shell), number(s / extent), number(shell ? extent / s : kUnlimited)};
}

const std::vector<std::string> kShellColumns{"rlnSpectralIndex", "rlnResolution", "rlnAngstromResolution"};

}  // namespace

void write_fsc_table(std::ostream& stream, const std::string& name, double extent, const FscCurves& fsc) {
  auto columns = kShellColumns;
  for (const char* label : {"rlnFourierShellCorrelationCorrected", "rlnFourierShellCorrelationUnmaskedMaps",
                            "rlnFourierShellCorrelationMaskedMaps",
                            "rlnCorrectedFourierShellCorrelationPhaseRandomizedMaskedMaps"})
    columns.emplace_back(label);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t s = 0; s < fsc.corrected.size(); ++s) {
    auto& row = rows.emplace_back(shell_fields(s, extent));
    for (const auto* curve : {&fsc.corrected, &fsc.unmasked, &fsc.masked, &fsc.randomised})
      row.push_back(number((*curve)[s]));
  }
  write_loop(stream, name, columns, rows);
}

namespace {

void write_guinier(std::ostream& stream, const Guinier& guinier) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t s = 0; s < guinier.log_amplitude.size(); ++s)
    rows.push_back({number(guinier.resolution_squared[s]), number(guinier.log_amplitude[s])});
  write_loop(stream, "guinier", {"rlnResolutionSquared", "rlnLogAmplitudesWeighted"}, rows);
}

void write_check(std::ostream& stream, const Reconstruction& result) {
  std::vector<std::vector<std::string>> rows;
  const auto& [plain, masked] = *result.check;
  for (std::size_t s = 0; s < plain.size(); ++s) {
    auto& row = rows.emplace_back(shell_fields(s, result.extent()));
    row.push_back(number(plain[s])), row.push_back(number(masked[s]));
  }
  auto columns = kShellColumns;
  columns.emplace_back("rlnFourierShellCorrelationUnmaskedMaps");
  columns.emplace_back("rlnFourierShellCorrelationMaskedMaps");
  write_loop(stream, "check", columns, rows);
}

nlohmann::ordered_json angstrom(double resolution) {
  if (!std::isfinite(resolution)) return nullptr;
  return resolution;
}

std::string angstrom_text(double resolution) {
  return std::isfinite(resolution) ? fmt::format("{:.2f} A", resolution) : "none";
}

}  // namespace

void write_fsc_star(const std::filesystem::path& path, const Reconstruction& result) {
  replace_file_stream(path, [&](std::ostream& stream) {
    const double resolution = result.resolution();
    std::vector<std::pair<std::string, std::string>> general{
        {"rlnFinalResolution", number(std::isfinite(resolution) ? resolution : kUnlimited)},
        {"rlnRandomiseFrom", number(result.extent() / result.fsc.randomised_from)},
        {"rlnUnfilteredMapHalf1", "half1.mrc"},
        {"rlnUnfilteredMapHalf2", "half2.mrc"}};
    if (result.b_factor) general.emplace_back("rlnBfactorUsedForSharpening", number(*result.b_factor));
    if (result.guinier.slope != 0) {
      general.emplace_back("rlnFittedSlopeGuinierPlot", number(result.guinier.slope));
      general.emplace_back("rlnFittedInterceptGuinierPlot", number(result.guinier.intercept));
    }
    write_list(stream, "general", general);
    write_fsc_table(stream, "fsc", result.extent(), result.fsc);
    write_guinier(stream, result.guinier);
    if (result.check) write_check(stream, result);
  });
}

std::string reconstruction_text(const Reconstruction& result) {
  std::string text = fmt::format("particles   {} + {}", result.particles[0], result.particles[1]);
  if (result.left_out) text += fmt::format(" ({} unusable left out)", result.left_out);
  text += fmt::format("\nbox         {} voxels of {:.4f} A, symmetry {}\n", result.box, result.pixel_size,
                      result.symmetry);
  text += fmt::format("resolution  {} (corrected FSC 0.143); masked {}, unmasked {}\n",
                      angstrom_text(result.resolution()),
                      angstrom_text(result.resolution(result.fsc.masked, 0.143)),
                      angstrom_text(result.resolution(result.fsc.unmasked, 0.143)));
  if (result.guinier.slope != 0)
    text += fmt::format("Guinier     B-factor {:.0f} A^2\n", result.guinier.b_factor());
  if (result.b_factor) text += fmt::format("sharpened   B-factor {:.0f} A^2\n", *result.b_factor);
  if (result.local_resolution)
    text += fmt::format("local       {:.1f} to {:.1f} A (median {:.1f})\n", (*result.local_resolution)[0],
                        (*result.local_resolution)[2], (*result.local_resolution)[1]);
  if (result.check)
    text += fmt::format("check       FSC 0.5 with the given map at {} (masked {})\n",
                        angstrom_text(result.resolution((*result.check)[0], 0.5)),
                        angstrom_text(result.resolution((*result.check)[1], 0.5)));
  return text;
}

nlohmann::ordered_json reconstruction_json(const Reconstruction& result) {
  nlohmann::ordered_json json;
  json["box"] = result.box;
  json["pixel_size"] = result.pixel_size;
  json["symmetry"] = result.symmetry;
  json["particles"] = result.particles;
  json["left_out"] = result.left_out;
  json["mask_fraction"] = result.mask_fraction;
  json["resolution"] = angstrom(result.resolution());
  json["resolution_masked"] = angstrom(result.resolution(result.fsc.masked, 0.143));
  json["resolution_unmasked"] = angstrom(result.resolution(result.fsc.unmasked, 0.143));
  json["guinier_b_factor"] = nullptr;
  if (result.guinier.slope != 0) json["guinier_b_factor"] = result.guinier.b_factor();
  json["b_factor"] = nullptr;
  if (result.b_factor) json["b_factor"] = *result.b_factor;
  json["local_resolution"] = nullptr;
  if (result.local_resolution) json["local_resolution"] = *result.local_resolution;
  json["fsc"] = {{"corrected", result.fsc.corrected},
                 {"masked", result.fsc.masked},
                 {"unmasked", result.fsc.unmasked},
                 {"randomised", result.fsc.randomised}};
  if (result.check)
    json["check"] = {{"unmasked", (*result.check)[0]},
                     {"masked", (*result.check)[1]},
                     {"resolution", angstrom(result.resolution((*result.check)[0], 0.5))},
                     {"resolution_masked", angstrom(result.resolution((*result.check)[1], 0.5))}};
  return json;
}

}  // namespace cryoscape::density
